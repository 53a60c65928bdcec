using System.Text;
using System.Text.Json;

namespace Pure.Serve.Tests;

public class RunCommandTests
{
    private static readonly string[] Story = ["run", "-p", "Once upon a time", "-n", "8"];

    // The model's card and its float64 reference: the greedy continuation, the same from the Q8_0 weights.
    private static readonly int[] GreedyIds = [60, 415, 298, 274, 405, 481, 428, 410];

    [Fact]
    public void The_embedded_model_tells_a_story_and_says_how_fast()
    {
        CommandRun run = CommandRun.Of([.. Story, "--temp", "0"]).Succeeds();

        Assert.Equal(", there was a little girl named Lily\n", run.Output);
        foreach (string fact in new[] { "prompt      5 tokens, ", "generation  8 tokens, ", "8 tokens written (-n)", "seed " })
            Assert.Contains(fact, run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_says_all_there_is_to_know()
    {
        CommandRun run = CommandRun.Of([.. Story, "--temp", "0", "--json", "--logits-hash", "--seed", "7", "-t", "2"]).Succeeds();

        JsonElement report = JsonDocument.Parse(run.OutputBytes).RootElement;
        Assert.Equal([0, 439, 448, 274, 411], Ints(report.GetProperty("prompt_ids")));
        Assert.Equal(GreedyIds, Ints(report.GetProperty("ids")));
        Assert.Equal(", there was a little girl named Lily", report.GetProperty("text").GetString());
        Assert.Equal("max_tokens", report.GetProperty("finish_reason").GetString());
        Assert.Equal(7UL, report.GetProperty("seed").GetUInt64());
        Assert.Equal(2, report.GetProperty("run").GetProperty("threads").GetInt32());
        Assert.Equal(8, report.GetProperty("timings").GetProperty("generated_tokens").GetInt32());
        Assert.Equal(run.Errors, report.GetProperty("logits_hash").GetString() + "\n");
    }

    [Fact]
    public void The_hash_of_the_logits_is_the_last_line_and_depends_on_no_way_of_computing()
    {
        string prompt = "Once upon a time, there was a little dog. He had a big red ball and he liked to run in the park with his friend.";
        string[] args = ["run", "-p", prompt, "-n", "8", "--seed", "11", "--logits-hash"];
        string expected = CommandRun.Of([.. args, "-t", "1"]).Succeeds().LastErrorLine;

        Assert.Matches("^[0-9a-f]{64}$", expected);
        foreach (string threads in new[] { "2", "3", "5" })
            Assert.Equal(expected, CommandRun.Of([.. args, "-t", threads]).Succeeds().LastErrorLine);
        foreach (string chunk in new[] { "1", "7", "64" })
            Assert.Equal(expected, CommandRun.Of([.. args, "--prompt-chunk", chunk]).Succeeds().LastErrorLine);
        Assert.NotEqual(expected, CommandRun.Of([.. args, "--kv-type", "f32"]).Succeeds().LastErrorLine);
    }

    [Theory]
    [InlineData("avx2")]
    [InlineData("avx512")]
    public void The_hash_is_that_of_the_scalar_definitions(string isa)
    {
        string scalar = CommandRun.Of([.. Story, "--seed", "3", "--logits-hash", "--isa", "scalar"]).Succeeds().LastErrorLine;
        CommandRun vector = CommandRun.Of([.. Story, "--seed", "3", "--logits-hash", "--isa", isa]);
        if (vector.ExitCode == 2 && vector.Errors.Contains("processor", StringComparison.Ordinal))
            Assert.Skip(vector.Errors.TrimEnd());
        Assert.Equal(scalar, vector.Succeeds().LastErrorLine);
    }

    [Fact]
    public void A_seed_repeats_its_text_and_is_shown_when_it_was_chosen()
    {
        CommandRun first = CommandRun.Of("run", "-p", "Once", "-n", "20", "--temp", "1.5").Succeeds();
        string seed = first.Errors.Split('\n').Single(line => line.StartsWith("seed", StringComparison.Ordinal))[4..].Trim();
        Assert.Equal(first.Output, CommandRun.Of("run", "-p", "Once", "-n", "20", "--temp", "1.5", "-s", seed).Succeeds().Output);
    }

    [Theory]
    [InlineData("60", "--temp", "0")]
    [InlineData("60", "--temp", "0.6", "--repeat-penalty", "1.05")]
    [InlineData("60", "--temp", "0", "--stop", "play")]
    [InlineData("3", "--temp", "0")]
    public void Guessing_ahead_changes_neither_text_nor_hash(string count, params string[] options)
    {
        string prompt = string.Concat(Enumerable.Repeat("Tom has a red ball. Tom likes to play. ", 4)) + "Tom has a";
        string[] args = ["run", "-p", prompt, "-n", count, "--logits-hash", "--json", .. options, "--seed", "11"];
        CommandRun plain = CommandRun.Of(args).Succeeds();
        CommandRun guessed = CommandRun.Of([.. args, "--speculate", "lookup", "--draft-tokens", "4"]).Succeeds();

        JsonElement expected = JsonDocument.Parse(plain.OutputBytes).RootElement;
        JsonElement report = JsonDocument.Parse(guessed.OutputBytes).RootElement;
        foreach (string same in new[] { "ids", "text", "finish_reason", "stop_string", "logits_hash" })
            Assert.Equal(Value(expected, same), Value(report, same));
        Assert.Equal(plain.LastErrorLine, guessed.LastErrorLine);
        Assert.Equal("", Value(expected, "speculation"));
        JsonElement speculation = report.GetProperty("speculation");
        Assert.InRange(speculation.GetProperty("drafted_tokens").GetInt32(), 1, 4 * speculation.GetProperty("passes").GetInt32());
        Assert.InRange(speculation.GetProperty("accepted_tokens").GetInt32(), 0, speculation.GetProperty("drafted_tokens").GetInt32());
        Assert.InRange(speculation.GetProperty("acceptance_rate").GetDouble(), 0, 1);

        static string Value(JsonElement report, string name) => report.TryGetProperty(name, out JsonElement value) ? $"{value}" : "";
    }

    [Fact]
    public void How_well_guessing_went_is_said_beside_the_speed()
    {
        string prompt = string.Concat(Enumerable.Repeat("Tom has a red ball. Tom likes to play. ", 4)) + "Tom has a";
        CommandRun run = CommandRun.Of("run", "-p", prompt, "-n", "40", "--temp", "0", "--speculate", "lookup").Succeeds();
        Assert.Matches("(?m)^guessed     [0-9]+ tokens in [0-9]+ passes, [0-9.]+ % accepted$", run.Errors);
        Assert.DoesNotContain("guessed", CommandRun.Of("run", "-p", prompt, "-n", "4").Succeeds().Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_draft_model_guesses_and_the_story_stays()
    {
        using var folder = new TemporaryFolder();
        string model = folder.Write("draft.gguf", EmbeddedModel.Bytes());
        string[] args = [.. Story.Take(3), "-n", "30", "--seed", "5", "--logits-hash"];
        CommandRun plain = CommandRun.Of(args).Succeeds();
        foreach (string option in new[] { "--draft-model", "-md", "--model-draft" })
        {
            CommandRun guessed = CommandRun.Of([.. args, option, model]).Succeeds();
            Assert.Equal((plain.Output, plain.LastErrorLine), (guessed.Output, guessed.LastErrorLine));
            Assert.Matches("(?m)^guessed     [0-9]+ tokens in [0-9]+ passes, [0-9.]+ % accepted$", guessed.Errors);
        }
    }

    [Fact]
    public void Ways_of_guessing_that_do_not_fit_are_refused()
    {
        CommandRun.Of([.. Story, "--speculate", "nextn"]).IsRefused("no layer that predicts further tokens", "lookup");
        CommandRun.Of([.. Story, "--speculate", "draft"]).IsRefused("--speculate draft", "--draft-model");
        CommandRun.Of([.. Story, "--speculate", "lookup", "-md", "any.gguf"]).IsRefused("--draft-model", "--speculate draft");
        CommandRun.Of([.. Story, "-md", "none.gguf"]).IsRefused("none.gguf", "no such file");
    }

    [Fact]
    public void The_balance_of_the_experts_is_shown_when_asked()
    {
        CommandRun run = CommandRun.Of([.. Story, "--show-experts", "--temp", "0"]).Succeeds();
        string[] lines = [.. run.Errors.Split('\n').SkipWhile(line => !line.StartsWith("experts", StringComparison.Ordinal))];
        Assert.Matches("^experts +choices +least +median +most +busiest +even +unused$", lines[0]);

        // 5 tokens of the prompt and 7 of the text are read, and choose 2 experts of 8 each.
        for (int layer = 1; layer <= 4; layer++)
            Assert.Matches($"^layer {layer} +24 +[0-9]+ +[0-9]+ +[0-9]+ +[0-9.]+ % +12.5 % +[0-7] of 8$", lines[layer]);
        Assert.DoesNotContain("experts", CommandRun.Of(Story).Succeeds().Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stop_text_ends_the_story_and_is_not_written()
    {
        CommandRun run = CommandRun.Of([.. Story, "--temp", "0", "--stop", "xyz", "--stop", " girl"]).Succeeds();
        Assert.Equal(", there was a little\n", run.Output);
        Assert.Contains("stop text found", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void The_prompt_comes_from_a_file_or_standard_input_too()
    {
        CommandRun run = CommandRun.Of("Once upon a time"u8.ToArray(), CancellationToken.None, "run", "-f", "-", "-n", "8", "--temp", "0");
        Assert.Equal(", there was a little girl named Lily\n", run.Succeeds().Output);
    }

    [Fact]
    public void On_a_terminal_the_prompt_stands_before_its_continuation()
    {
        using var output = new MemoryStream();
        using var errors = new MemoryStream();
        var streams = new CommandStreams(Stream.Null, output, errors) { OutputIsTerminal = true };
        Assert.Equal(0, Cli.Run([.. Story, "--temp", "0"], streams, CancellationToken.None));
        Assert.Equal("Once upon a time, there was a little girl named Lily\n", Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public void An_interruption_ends_the_line_and_shows_the_figures()
    {
        using var cancellation = new CancellationTokenSource();
        using var output = new InterruptingStream(cancellation, bytes: 20);
        using var errors = new MemoryStream();

        int code = Cli.Run(["run", "-p", "Once upon a time", "-n", "400", "--temp", "0"], new CommandStreams(Stream.Null, output, errors), cancellation.Token);

        Assert.Equal(130, code);
        string text = Encoding.UTF8.GetString(output.ToArray());
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.True(text.Length < 60, text);
        Assert.Contains("interrupted", Encoding.UTF8.GetString(errors.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_reader_that_has_seen_enough_ends_the_run_in_silence()
    {
        using var output = new BrokenPipe();
        using var errors = new MemoryStream();
        int code = Cli.Run(Story, new CommandStreams(Stream.Null, output, errors), CancellationToken.None);
        Assert.Equal(0, code);
        Assert.Equal(0, errors.Length);
    }

    [Fact]
    public void Prompts_that_cannot_be_continued_are_refused()
    {
        using var folder = new TemporaryFolder();
        string longText = string.Concat(Enumerable.Repeat("So it was. ", 200));
        CommandRun.Of("run").IsRefused("-p TEXT");
        CommandRun.Of("run", "-p", "").IsRefused("empty");
        CommandRun.Of("run", "-f", folder.Write("e", [])).IsRefused("empty");
        CommandRun.Of("run", "-f", folder.Write("b", [65, 0xC0, 65])).IsRefused("not UTF-8", "offset 1");
        CommandRun.Of("run", "-p", longText).IsRefused("802", "512");
        CommandRun.Of("run", "-p", "a", "--stop", "").IsRefused("--stop is empty");
    }

    [Theory]
    [InlineData("-n", "-1", "from 0 up")]
    [InlineData("-n", "x", "a whole number")]
    [InlineData("--temp", "-0.1", "from 0 up")]
    [InlineData("--temp", "nan", "from 0 up")]
    [InlineData("--temp", "warm", "a number")]
    [InlineData("--top-k", "-1", "from 0 up")]
    [InlineData("--top-p", "0", "above 0")]
    [InlineData("--top-p", "1.1", "at most 1")]
    [InlineData("--min-p", "2", "from 0 to 1")]
    [InlineData("--repeat-penalty", "0", "above 0")]
    [InlineData("--presence-penalty", "inf", "finite")]
    [InlineData("--seed", "-3", "from 0")]
    [InlineData("--prompt-chunk", "70000", "65536")]
    [InlineData("--speculate", "guess", "lookup, nextn, draft, none")]
    [InlineData("--draft-tokens", "0", "from 1 up")]
    public void Values_out_of_range_are_refused(string option, string value, string bounds) =>
        CommandRun.Of([.. Story.Take(3), option, value]).IsRefused($"\"{value}\"", bounds);

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    /// <summary>Presses Ctrl-C once so many bytes were written.</summary>
    private sealed class InterruptingStream(CancellationTokenSource cancellation, int bytes) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, count);
            if (Length >= bytes)
                cancellation.Cancel();
        }
    }

    private sealed class BrokenPipe : MemoryStream
    {
        private const int Epipe = 32;

        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("Broken pipe", Epipe);
    }

    [Fact]
    public void A_grammar_says_what_the_text_must_be()
    {
        using var folder = new TemporaryFolder();
        string grammar = folder.Write("answer.gbnf", "root ::= \"yes\" | \"no\"\n"u8.ToArray());
        string schema = folder.Write("number.json", """{"type": "integer", "minimum": 10, "maximum": 12}"""u8.ToArray());

        Assert.Matches("^(yes|no)\n$", CommandRun.Of("run", "-p", "Is it? ", "--grammar-file", grammar).Succeeds().Output);
        Assert.Matches("^[a-c]{5}\n$", CommandRun.Of("run", "-p", "Is it? ", "--grammar", "root ::= [a-c]{5}").Succeeds().Output);
        Assert.Matches("^1[0-2]\n$", CommandRun.Of("run", "-p", "It is ", "-j", "@" + schema).Succeeds().Output);
        Assert.Matches("^\"[ab]\"\n$", CommandRun.Of("run", "-p", "It is ", "--json-schema", """{"enum":["a","b"]}""").Succeeds().Output);
    }

    [Theory]
    [InlineData("--grammar", "root ::= root \"a\"", "can begin with itself")]
    [InlineData("--grammar", "", "no rule 'root'")]
    [InlineData("--grammar-file", "/no/such/file", "there is no such file")]
    [InlineData("-j", "{", "not valid JSON")]
    [InlineData("-j", """{"not": {}}""", "#/not is the keyword 'not', which is not supported")]
    public void A_bad_grammar_is_refused(string option, string value, string problem) =>
        CommandRun.Of("run", "-p", "x", option, value).IsRefused(problem);
}
