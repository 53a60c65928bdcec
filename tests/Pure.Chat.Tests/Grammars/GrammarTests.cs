#pragma warning disable xUnit1051 // the tests are short
using System.Text.Json.Nodes;
using Pure.Engine;
using Pure.Engine.Generation;
using Pure.Engine.Generation.Grammars;
using Pure.Engine.Tests.Generation.Grammars;

namespace Pure.Chat.Tests.Grammars;

public sealed class GrammarTests(DefaultModel shared) : IClassFixture<DefaultModel>
{
    private readonly LanguageModel _model = shared.Model;

    [Fact]
    public async Task What_the_model_finishes_at_a_high_temperature_validates()
    {
        const int Schemas = 200;
        using TextScheduler scheduler = _model.CreateScheduler(new SchedulerOptions { CachePositions = 16 * 512, ContextLength = 512 });
        JsonObject[] schemas = [.. Enumerable.Range(0, Schemas).Select(seed => new RandomSchema(seed, hasFurtherMembers: false).Next())];
        TextCompletion[] texts = [.. schemas.Select((schema, seed) => scheduler.GenerateAsync(
            "A child wrote: ",
            new TextOptions { Temperature = 1.5f, TopK = 0, TopP = 1, MinP = 0, Seed = (ulong)seed, Grammar = Grammar.FromJsonSchema(schema.ToJsonString()) }))];
        int finished = 0;
        for (int text = 0; text < Schemas; text++)
        {
            string written = await texts[text].ReadAsync();
            if (texts[text].StopReason != StopReason.EndOfText)
                continue;
            finished++;
            new SchemaValidator(schemas[text]).Require(written);
        }

        Assert.InRange(finished, Schemas * 8 / 10, Schemas);
    }

    [Fact]
    public async Task A_text_with_a_grammar_is_the_same_alone_and_with_others_guessed_or_not()
    {
        Grammar schema = Grammar.FromJsonSchema(
            """{"properties":{"name":{"maxLength":20},"ages":{"items":{"minimum":1,"maximum":99,"type":"integer"},"minItems":2,"maxItems":5}},"required":["name","ages"]}""");
        Grammar[] grammars = [schema, Grammar.JsonValue, Grammar.FromRegex("([A-Z][a-z]+ ){3,8}end"), schema];
        using TextScheduler scheduler = _model.CreateScheduler(new SchedulerOptions { CachePositions = 2048 });
        TextOptions[] options = [.. Enumerable.Range(0, 16).Select(text => new TextOptions
        {
            MaxTokens = 60,
            Temperature = text % 3,
            Seed = (ulong)text,
            TopLogProbabilities = 3,
            Grammar = text % 5 == 4 ? null : grammars[text % 4],
        })];
        TextCompletion[] together = [.. options.Select(each => scheduler.GenerateAsync("Once upon a time", each))];
        for (int text = 0; text < options.Length; text++)
        {
            string expected = await Describe(_model.GenerateAsync("Once upon a time", options[text]));
            Assert.Equal(expected, await Describe(together[text]));
            Assert.Equal(expected, await Describe(_model.GenerateAsync("Once upon a time", options[text] with { Speculation = Speculation.Lookup })));
        }
    }

    [Fact]
    public async Task Log_probabilities_are_the_models_own()
    {
        TextCompletion free = _model.GenerateAsync("Once upon a time", new TextOptions { MaxTokens = 1, Temperature = 0, TopLogProbabilities = 5 });
        TextCompletion held = _model.GenerateAsync(
            "Once upon a time", new TextOptions { MaxTokens = 1, Temperature = 0, TopLogProbabilities = 5, Grammar = Grammar.FromGbnf("root ::= [0-9]{4}") });
        TextPiece one = await First(free);
        TextPiece other = await First(held);
        Assert.Equal(one.Token!.Value.Alternatives.ToArray(), other.Token!.Value.Alternatives.ToArray());
        Assert.True(other.Token.Value.LogProbability < one.Token.Value.LogProbability);
        Assert.True(char.IsAsciiDigit(other.Text[0]));

        static async Task<TextPiece> First(TextCompletion text)
        {
            await foreach (TextPiece piece in text.ReadPiecesAsync())
                return piece;
            throw new InvalidOperationException("There is no text.");
        }
    }

    [Fact]
    public async Task A_text_ends_exactly_where_its_grammar_may()
    {
        TextCompletion text = _model.GenerateAsync("Say: ", new TextOptions { Grammar = Grammar.FromGbnf("root ::= \"The cat, \"{2} \"Zürich 😀\"") });
        Assert.Equal("The cat, The cat, Zürich 😀", await text.ReadAsync());
        Assert.Equal(StopReason.EndOfText, text.StopReason);
    }

    [Fact]
    public async Task What_a_grammar_cannot_go_with_is_refused()
    {
        Grammar grammar = Grammar.FromGbnf("root ::= \"a\"");
        Assert.Throws<InvalidRequestException>(() => _model.GenerateAsync("x", new TextOptions { Grammar = grammar, IgnoreEndOfText = true }));
        int a = _model.Tokenizer.Encode("a", addSpecial: false)[0];
        TextCompletion banned = _model.GenerateAsync(
            "x", new TextOptions { Grammar = grammar, LogitBias = new Dictionary<int, float> { [a] = float.NegativeInfinity } });
        InvalidRequestException refused = await Assert.ThrowsAsync<InvalidRequestException>(() => banned.ReadAsync());
        Assert.Contains("the grammar allows here", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<string> Describe(TextCompletion text)
    {
        var described = new System.Text.StringBuilder();
        await foreach (TextPiece piece in text.ReadPiecesAsync())
        {
            described.Append(piece.Text).Append('|').Append(piece.Token?.Id).Append('|').Append(piece.Token?.LogProbability);
            foreach (TokenLogProbability other in piece.Token?.Alternatives.ToArray() ?? [])
                described.Append(other);
            described.Append('\n');
        }

        return described.Append(text.StopReason).ToString();
    }
}
