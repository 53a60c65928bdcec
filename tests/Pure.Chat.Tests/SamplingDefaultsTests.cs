using System.Text;
using Pure.Engine;
using Pure.Engine.Formats.Gguf;

namespace Pure.Chat.Tests;

/// <summary>What a model's files say of choosing tokens and of ending a text is done where the options leave it open.</summary>
public sealed class SamplingDefaultsTests : IDisposable
{
    private readonly TinyFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_says_how_its_tokens_are_chosen()
    {
        _folder.Write("generation_config.json", """
            {"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.01, "repetition_penalty": 1.05}
            """);
        using var model = LanguageModel.Load(_folder.Root);
        Assert.Equal(
            new SamplingDefaults { Temperature = 0.6f, TopK = 20, TopP = 0.95f, MinP = 0.01f, RepetitionPenalty = 1.05f }, model.Defaults);
    }

    [Fact]
    public void A_gguf_file_says_how_its_tokens_are_chosen()
    {
        var defaults = Of(("general.sampling.temp", 1L), ("general.sampling.top_k", -1L), ("general.sampling.penalty_last_n", 256L));
        Assert.Equal(new SamplingDefaults { Temperature = 1, TopK = 0, PenaltyWindow = 256 }, defaults);
    }

    [Fact]
    public void The_embedded_model_leaves_everything_open()
    {
        using var model = LanguageModel.LoadDefault();
        Assert.Equal(new SamplingDefaults(), model.Defaults);
    }

    [Theory]
    [InlineData("temp", -1L, "from 0 up")]
    [InlineData("top_p", 2L, "from 0 to 1")]
    [InlineData("min_p", -1L, "from 0 to 1")]
    [InlineData("penalty_repeat", 0L, "above 0")]
    [InlineData("top_k", -2L, "a count")]
    [InlineData("top_k", 1L << 40, "a count")]
    [InlineData("penalty_last_n", -7L, "a count")]
    [InlineData("temp", "warm", "string")]
    public void Values_that_no_choice_can_have_are_refused(string key, object value, string fact)
    {
        string message = Assert.Throws<ModelFormatException>(() => Of(($"general.sampling.{key}", value))).Message;
        Assert.StartsWith("some.gguf: ", message, StringComparison.Ordinal);
        Assert.Contains(key, message, StringComparison.Ordinal);
        Assert.Contains(fact, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"temperature": -0.5}""", "-0.5")]
    [InlineData("""{"top_p": 1.5}""", "1.5")]
    [InlineData("""{"top_k": -5}""", "-5")]
    [InlineData("""{"temperature": 1e300}""", "1E+300")]
    public void A_folder_with_such_values_is_refused(string generation, string fact)
    {
        _folder.Write("generation_config.json", generation);
        string message = Assert.Throws<ModelFormatException>(() => LanguageModel.Load(_folder.Root)).Message;
        Assert.Contains("generation_config.json", message, StringComparison.Ordinal);
        Assert.Contains(fact, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_go_before_what_the_model_says()
    {
        _folder.Write("generation_config.json", """{"do_sample": true, "temperature": 1000, "top_k": 1}""");
        using var model = LanguageModel.Load(_folder.Root);
        var options = new TextOptions { MaxTokens = 30, Seed = 1, IgnoreEndOfText = true };

        string own = await Text(options);
        Assert.StartsWith("cdeabcde", own, StringComparison.Ordinal);
        Assert.Equal(own, await Text(options with { Seed = 2, TopK = 0, Temperature = 0 }));
        Assert.NotEqual(own, await Text(options with { TopK = 0, TopP = 1, MinP = 0 }));

        async Task<string> Text(TextOptions options)
        {
            var text = new StringBuilder();
            await foreach (string piece in model.GenerateAsync("ab", options, TestContext.Current.CancellationToken))
                text.Append(piece);
            return text.ToString();
        }
    }

    [Theory]
    [InlineData("""{"do_sample": false}""", "cde<s>")]
    [InlineData("""{"do_sample": false, "eos_token_id": 4}""", "cd")]
    [InlineData("""{"do_sample": false, "eos_token_id": [4, 3]}""", "c")]
    [InlineData("""{"do_sample": false, "eos_token_id": [99999, -1]}""", "cde<s>")]
    public async Task Every_token_that_the_folder_names_ends_the_text(string generation, string expected)
    {
        _folder.Write("generation_config.json", generation);
        using var model = LanguageModel.Load(_folder.Root);
        TextCompletion completion = model.GenerateAsync("ab", new TextOptions { MaxTokens = 10 }, TestContext.Current.CancellationToken);
        var ids = new List<int>();
        await foreach (TextPiece piece in completion.ReadPiecesAsync(TestContext.Current.CancellationToken))
        {
            if (piece.Token is { } token)
                ids.Add(token.Id);
        }

        Assert.Equal(expected, string.Concat(ids.Select(id => TinyFolder.Vocabulary[id])));
        Assert.Equal(StopReason.EndOfText, completion.StopReason);
    }

    private static SamplingDefaults Of(params (string Key, object Value)[] keys)
    {
        using GgufFile file = GgufFile.Open(GgufMetadata.Of(keys), "some.gguf");
        return SamplingDefaults.Of(file);
    }
}
