#pragma warning disable xUnit1051 // the tests are short
using System.Text.Json;
using Pure.Chat;

namespace Pure.Serve.Tests.Http;

public sealed class CompletionEndpointTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string Path = "/v1/completions";
    private const string Prompt = "Once upon a time";

    public static TheoryData<string, TextOptions> Options => new()
    {
        { "\"temperature\": 0", new TextOptions { Temperature = 0 } },
        { "\"temperature\": 1.5, \"seed\": 11", new TextOptions { Temperature = 1.5f, Seed = 11 } },
        { "\"top_p\": 0.5, \"seed\": 1", new TextOptions { TopP = 0.5f, Seed = 1 } },
        { "\"top_k\": 3, \"temperature\": 3, \"seed\": 2", new TextOptions { TopK = 3, Temperature = 3, Seed = 2 } },
        {
            "\"top_k\": -1, \"min_p\": 0, \"top_p\": 1, \"temperature\": 2, \"seed\": 3",
            new TextOptions { TopK = 0, MinP = 0, TopP = 1, Temperature = 2, Seed = 3 }
        },
        { "\"min_p\": 0.4, \"temperature\": 2, \"seed\": 4", new TextOptions { MinP = 0.4f, Temperature = 2, Seed = 4 } },
        { "\"presence_penalty\": 1.9, \"temperature\": 0", new TextOptions { PresencePenalty = 1.9f, Temperature = 0 } },
        { "\"frequency_penalty\": 1.5, \"temperature\": 0", new TextOptions { FrequencyPenalty = 1.5f, Temperature = 0 } },
        { "\"repetition_penalty\": 1.8, \"temperature\": 0", new TextOptions { RepetitionPenalty = 1.8f, Temperature = 0 } },
        {
            "\"repeat_penalty\": 1.8, \"repeat_last_n\": 4, \"temperature\": 0",
            new TextOptions { RepetitionPenalty = 1.8f, PenaltyWindow = 4, Temperature = 0 }
        },
        {
            "\"logit_bias\": {\"300\": -100, \"411\": 5.5}, \"temperature\": 0",
            new TextOptions { LogitBias = new Dictionary<int, float> { [300] = -100, [411] = 5.5f }, Temperature = 0 }
        },
        { "\"seed\": -1", new TextOptions { Seed = ulong.MaxValue } },
        { "\"seed\": 18446744073709551615", new TextOptions { Seed = ulong.MaxValue } },
        { "\"stop\": \"was\", \"temperature\": 0", new TextOptions { Stop = ["was"], Temperature = 0 } },
        { "\"stop\": [\"xyz\", \" little\"], \"temperature\": 0", new TextOptions { Stop = ["xyz", " little"], Temperature = 0 } },
        {
            "\"temperature\": 0, \"top_p\": null, \"stop\": null, \"user\": \"somebody\", \"unheard_of\": {\"a\": []}",
            new TextOptions { Temperature = 0 }
        },
    };

    [Theory, MemberData(nameof(Options))]
    public async Task A_request_is_answered_as_the_library_answers_the_same_options(string parameters, TextOptions options)
    {
        string expected = await server.WriteAsync(Prompt, options with { MaxTokens = 24 });
        JsonElement answer = await server.PostAsync(Path, Body(parameters + ", \"max_tokens\": 24"));

        Assert.Equal(expected, Text(answer));
        Assert.Equal(options.Stop.Count > 0 ? "stop" : "length", Choice(answer).GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task The_answer_has_the_form_of_openai()
    {
        JsonElement answer = await server.PostAsync(Path, Body("\"temperature\": 0"));

        Assert.Equal("text_completion", answer.GetProperty("object").GetString());
        Assert.StartsWith("cmpl-", answer.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal(RunningServer.ModelId, answer.GetProperty("model").GetString());
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - answer.GetProperty("created").GetInt64(), 0, 100);
        Assert.Equal(JsonValueKind.Null, Choice(answer).GetProperty("logprobs").ValueKind);
        Assert.Equal((5, 16, 21), Usage(answer));
    }

    [Fact]
    public async Task A_prompt_may_be_a_text_or_ids_or_a_list_of_either()
    {
        int[] ids = server.Model.EncodePrompt(Prompt);
        string list = $"[{string.Join(',', ids)}]";
        string alone = Text(await server.PostAsync(Path, Body("\"seed\": 5")));
        Assert.Equal(alone, Text(await server.PostAsync(Path, Body("\"seed\": 5", list))));
        foreach (string prompt in new[] { $"[\"{Prompt}\", \"{Prompt}\"]", $"[{list}, {list}]" })
        {
            JsonElement answer = await server.PostAsync(Path, Body("\"seed\": 5", prompt));
            Assert.Equal([alone, alone], Texts(answer));
            Assert.Equal((10, 32, 42), Usage(answer));
        }
    }

    [Fact]
    public async Task Choices_have_seeds_that_follow_one_another()
    {
        JsonElement answer = await server.PostAsync(Path, Body("\"seed\": 40, \"n\": 3, \"temperature\": 1.5", $"[\"{Prompt}\", \"Tom\"]"));
        string[] expected = await Task.WhenAll(
            from prompt in new[] { Prompt, "Tom" }
            from seed in new ulong[] { 40, 41, 42 }
            select server.WriteAsync(prompt, new TextOptions { Seed = seed, Temperature = 1.5f, MaxTokens = 16 }));

        Assert.Equal(expected, Texts(answer));
        Assert.Equal(Enumerable.Range(0, 6), answer.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.Equal(6, expected.Distinct().Count());
    }

    [Fact]
    public async Task Echo_puts_the_prompt_before_the_text()
    {
        string alone = Text(await server.PostAsync(Path, Body("\"temperature\": 0")));
        string ids = $"[{string.Join(',', server.Model.EncodePrompt(Prompt))}]";
        Assert.Equal(Prompt + alone, Text(await server.PostAsync(Path, Body("\"temperature\": 0, \"echo\": true"))));
        Assert.Equal(Prompt + alone, Text(await server.PostAsync(Path, Body("\"temperature\": 0, \"echo\": true", ids))));
        JsonElement nothing = await server.PostAsync(Path, Body("\"echo\": true, \"max_tokens\": 0"));
        Assert.Equal(Prompt, Text(nothing));
        Assert.Equal((5, 0, 5), Usage(nothing));
    }

    [Fact]
    public async Task Log_probabilities_are_lists_beside_one_another()
    {
        JsonElement answer = await server.PostAsync(Path, Body("\"temperature\": 0, \"logprobs\": 3"));
        JsonElement logprobs = Choice(answer).GetProperty("logprobs");
        string[] tokens = [.. logprobs.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()!)];
        int[] offsets = [.. logprobs.GetProperty("text_offset").EnumerateArray().Select(offset => offset.GetInt32())];
        double[] chosen = [.. logprobs.GetProperty("token_logprobs").EnumerateArray().Select(value => value.GetDouble())];
        JsonElement[] top = [.. logprobs.GetProperty("top_logprobs").EnumerateArray()];

        Assert.Equal(Text(answer), string.Concat(tokens));
        for (int at = 0; at < tokens.Length; at++)
        {
            Assert.Equal(string.Concat(tokens[..at]).Length, offsets[at]);
            Assert.Equal(3, top[at].EnumerateObject().Count());
            Assert.Equal(chosen[at], top[at].EnumerateObject().Max(entry => entry.Value.GetDouble()));
            Assert.Equal(chosen[at], top[at].GetProperty(tokens[at]).GetDouble());
        }

        List<TextPiece> pieces = [];
        var options = new TextOptions { Temperature = 0, MaxTokens = 16, TopLogProbabilities = 3 };
        await foreach (TextPiece piece in server.Model.GenerateAsync(Prompt, options).ReadPiecesAsync())
            pieces.Add(piece);
        Assert.Equal(pieces.Select(piece => piece.Token!.Value.LogProbability!.Value), chosen);
    }

    [Theory]
    [InlineData("\"temperature\": 0, \"max_tokens\": 30")]
    [InlineData("\"seed\": 9, \"max_tokens\": 30, \"echo\": true")]
    [InlineData("\"seed\": 9, \"max_tokens\": 200, \"stop\": [\"happy\", \". \"]")]
    [InlineData("\"seed\": 3, \"n\": 4, \"temperature\": 1.3")]
    [InlineData("\"seed\": 3, \"logprobs\": 2")]
    [InlineData("\"seed\": 3, \"max_tokens\": 0")]
    public async Task Events_put_together_are_the_whole_answer(string parameters)
    {
        JsonElement whole = await server.PostAsync(Path, Body(parameters));
        List<JsonElement> events = await server.StreamAsync(
            Path, Body(parameters + ", \"stream\": true, \"stream_options\": {\"include_usage\": true}"));
        JsonElement[] choices = [.. whole.GetProperty("choices").EnumerateArray()];

        Assert.Equal(Usage(whole), Usage(events[^1]));
        Assert.Empty(events[^1].GetProperty("choices").EnumerateArray());
        foreach (JsonElement choice in choices)
        {
            int index = choice.GetProperty("index").GetInt32();
            JsonElement[] parts = [.. events[..^1].Select(Choice).Where(part => part.GetProperty("index").GetInt32() == index)];
            Assert.Equal(choice.GetProperty("text").GetString(), string.Concat(parts.Select(part => part.GetProperty("text").GetString())));
            Assert.Equal(choice.GetProperty("finish_reason").GetString(), parts[^1].GetProperty("finish_reason").GetString());
            Assert.All(parts[..^1], part => Assert.Equal(JsonValueKind.Null, part.GetProperty("finish_reason").ValueKind));
            if (choice.GetProperty("logprobs") is { ValueKind: JsonValueKind.Object } logprobs)
            {
                foreach (string list in new[] { "tokens", "token_logprobs", "text_offset", "top_logprobs" })
                {
                    Assert.Equal(
                        logprobs.GetProperty(list).EnumerateArray().Select(value => value.GetRawText()),
                        parts[..^1].SelectMany(part => part.GetProperty("logprobs").GetProperty(list).EnumerateArray())
                            .Select(value => value.GetRawText()));
                }
            }
        }
    }

    [Fact]
    public async Task A_full_context_ends_the_text_with_length()
    {
        JsonElement answer = await server.PostAsync(Path, Body("\"temperature\": 0, \"ignore_eos\": true, \"max_tokens\": 100000"));
        int context = server.Model.Model.Info.ContextLength;
        Assert.Equal("length", Choice(answer).GetProperty("finish_reason").GetString());
        Assert.Equal((5, context - 4, context + 1), Usage(answer)); // the last token needs no place: nothing reads it
    }

    [Fact]
    public async Task Two_hundred_requests_at_once_get_what_each_gets_alone()
    {
        string[] prompts = [Prompt, "Tom had a red ball.", "The cat", "One day"];
        JsonElement[] answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(seed => server.PostAsync(
            Path,
            Body($"\"seed\": {seed}, \"max_tokens\": {4 + (seed % 9)}, \"temperature\": 1.2", $"\"{prompts[seed % 4]}\""))));
        for (int seed = 0; seed < answers.Length; seed++)
        {
            var options = new TextOptions { Seed = (ulong)seed, MaxTokens = 4 + (seed % 9), Temperature = 1.2f };
            Assert.Equal(await server.WriteAsync(prompts[seed % 4], options), Text(answers[seed]));
        }
    }

    private static string Body(string parameters, string prompt = $"\"{Prompt}\"") => $"{{\"prompt\": {prompt}, {parameters}}}";

    private static JsonElement Choice(JsonElement answer) => answer.GetProperty("choices")[0];

    private static string Text(JsonElement answer) => Choice(answer).GetProperty("text").GetString()!;

    private static string[] Texts(JsonElement answer) =>
        [.. answer.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("text").GetString()!)];

    internal static (int Prompt, int Completion, int Total) Usage(JsonElement answer)
    {
        JsonElement usage = answer.GetProperty("usage");
        return (Count("prompt_tokens"), Count("completion_tokens"), Count("total_tokens"));

        int Count(string name) => usage.GetProperty(name).GetInt32();
    }
}
