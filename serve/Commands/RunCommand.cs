using System.CommandLine;
using System.Text;
using System.Text.Json;
using Pure.Chat;
using Pure.Engine.Generation;
using Pure.Engine.Models;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Commands;

/// <summary><c>pure run</c>: continues a text.</summary>
internal sealed class RunCommand : PureCommand
{
    private readonly ModelArgument _model = new();
    private readonly EngineOptions _engine = new();
    private readonly SamplingChoice _sampling = new();
    private readonly SpeculationChoice _speculation = new();
    private readonly GrammarChoice _grammar = new();
    private readonly TextSource _prompt = new("The text to continue. Names of special tokens, such as <|user|>, stand for these tokens.");

    private readonly Option<int> _count = ValueOptions.Number<int>(
        "--n-predict", ["-n"], "N", "Most tokens to write. Default: 256.", "from 0 up", count => count >= 0, 256);

    private readonly Option<int?> _context = ValueOptions.OptionalNumber<int>(
        "--ctx-size", ["-c"], "N", "Most tokens of the text and its continuation. Default: as many as it takes, up to what the model takes.",
        "from 1 up", count => count > 0);

    private readonly Option<string?> _promptCache = ValueOptions.Text(
        "--prompt-cache", [], "FILE", "Take what this file has of the text instead of reading it again, and store it there for the next time; same bits.");

    private readonly Option<bool> _shift = ValueOptions.Switch(
        "--context-shift", "When the context is full, drop the older half of the text and go on. What is left is read again. Default: end there.");

    private readonly Option<int?> _keep = ValueOptions.OptionalNumber<int>(
        "--keep", [], "N", "First tokens that --context-shift never drops; -1 for the prompt. The beginning-of-text token stays anyway. Default: 0.",
        "from -1 up", count => count >= -1);

    private readonly Option<string[]> _stop = new("--stop")
    {
        HelpName = "S",
        Description = "Stop where this text appears; it is not written. May be given several times.",
    };

    private readonly Option<bool> _logitsHash = ValueOptions.Switch(
        "--logits-hash", "Write the SHA-256 of the logits of every sampled position as the last line on standard error.");

    private readonly Option<bool> _showExperts = ValueOptions.Switch(
        "--show-experts", "Write to standard error how the tokens of prompt and text were spread over each layer's experts.");

    private readonly Option<bool> _json = ValueOptions.Switch("--json", "Write one JSON object at the end, instead of text as it comes.");

    internal RunCommand()
        : base("run", "Continue a text, written as it comes.")
    {
        Add(_model.Argument);
        AddGroups(
            new OptionGroup("Text", [.. _prompt.Options, _count, _context, _shift, _keep, _promptCache, _stop, _json, _logitsHash, _showExperts, .. _speculation.Options]),
            _sampling.Group,
            _grammar.Group,
            _engine.Group,
            _engine.Memory,
            _engine.Device,
            _engine.Positions);
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure run -p \"Once upon a time\"", "a story from the embedded model"),
        new("pure run -p \"<|user|>Tell me a story about a little dog.<|assistant|>\"", "a story about something"),
        new("pure run -p \"Tom and his dog\" -n 60 --temp 0 --stop \"The end\"", "the most probable story, a short one"),
        new("pure run model.gguf --rope-scaling yarn --rope-scale 4 --file long.txt", "a text of up to four times the model's context"),
        new("pure run model.gguf --file book.txt --prompt-cache book.kv", "a long text that the next run need not read again"),
        new("pure run -p \"Lily is \" -j '{\"type\": \"integer\", \"minimum\": 3, \"maximum\": 9}'", "a text that a JSON Schema allows"),
        new("pure run model.gguf --file prompt.txt --seed 7 --json", "another model, a longer prompt, a result for a program"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "The text goes to standard output, speed and seed to standard error. On a terminal the prompt is shown before its continuation. "
        + "Ctrl-C stops after the current token.",
        SamplingChoice.Note,
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        string prompt = _prompt.Read(parsed, streams) ?? throw new UsageException("run needs a text to continue: -p TEXT or --file F.");
        if (prompt.Length == 0)
            throw new UsageException("the prompt is empty; give some text.");

        using LogitsHash? hash = parsed.GetValue(_logitsHash) ? new LogitsHash() : null;
        TextOptions options = _speculation.Read(parsed, _sampling.Read(parsed)) with
        {
            MaxTokens = parsed.GetValue(_count),
            Grammar = _grammar.Read(parsed, streams),
            ContextLength = parsed.GetValue(_context),
            Stop = [.. (parsed.GetValue(_stop) ?? []).Select(stop => TextInput.Check(stop, "--stop"))],
            LogitsObserver = hash is null ? null : hash.Add,
        };
        using LanguageModel model = _model.Load(parsed, _engine.Read(parsed, streams, context: parsed.GetValue(_context)));
        DeviceChoice.Say(model.Model, streams);
        if (model.Model.MemoryPlan is { } plan)
            streams.Error.WriteLine($"memory      {MemoryFigures.Plan(plan)}");
        using Model? draft = _speculation.LoadDraft(parsed, model);
        options = SamplingChoice.Settle(options, model) with { DraftModel = draft };
        if (parsed.GetValue(_showExperts))
            model.Model.CountExperts();
        if (parsed.GetValue(_shift))
        {
            int keep = parsed.GetValue(_keep) ?? 0;
            options = options with { ShiftKeep = keep >= 0 && model.Tokenizer.AddsBos ? Math.Max(1, keep) : keep };
        }
        else if (parsed.GetValue(_keep) is not null)
        {
            throw new UsageException("--keep is about --context-shift; give that too.");
        }

        using PromptCacheFile? cache = parsed.GetValue(_promptCache) is { } path ? PromptCacheFile.Open(path, model, prompt, options) : null;
        TextCompletion completion = cache?.Session.GenerateAsync(prompt, options, cancellation) ?? model.GenerateAsync(prompt, options, cancellation);
        int code;
        if (parsed.GetValue(_json))
        {
            var text = new StringBuilder();
            var ids = new List<int>();
            code = Read(completion, piece => text.Append(piece), ids);
            RunReport report = Describe(model, prompt, options, $"{text}", ids, completion, hash);
            streams.Output.WriteLine(JsonSerializer.Serialize(report, Json.Readable.RunReport));
        }
        else
        {
            code = Write(completion, prompt, streams);
            WriteFigures(model.Model, completion, options, streams);
        }

        cache?.Store(completion, streams);
        if (parsed.GetValue(_showExperts))
            streams.Error.Write(ExpertTable.Of(model.Model.ExpertLoads()));
        if (hash is not null)
            streams.Error.WriteLine(hash.ToString());
        return code;
    }

    private static int Write(TextCompletion completion, string prompt, CommandStreams streams)
    {
        bool endsLine = false;
        if (streams.OutputIsTerminal)
            Put(prompt);
        int code = Read(completion, Put, []);
        if (!endsLine)
            streams.Output.Write('\n');
        return code;

        void Put(string piece)
        {
            streams.Output.Write(piece);
            endsLine = piece.EndsWith('\n');
        }
    }

    /// <summary>Reads the text to its end, or to where the user stops it; returns the exit code.</summary>
    private static int Read(TextCompletion completion, Action<string> put, List<int> ids) =>
        ReadAsync(completion, put, ids).GetAwaiter().GetResult();

    private static async Task<int> ReadAsync(TextCompletion completion, Action<string> put, List<int> ids)
    {
        try
        {
            await foreach (TextPiece piece in completion.ReadPiecesAsync().ConfigureAwait(false))
            {
                if (piece.Token is { } token)
                    ids.Add(token.Id);
                if (piece.Text.Length > 0)
                    put(piece.Text);
            }

            return ExitCode.Success;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }

    private static void WriteFigures(Model model, TextCompletion completion, TextOptions options, CommandStreams streams)
    {
        GenerationTimings timings = completion.Timings;
        string finish = completion.StopReason switch
        {
            StopReason.EndOfText => "end of text",
            StopReason.StopString => "stop text found",
            StopReason.MaxTokens => $"{options.MaxTokens} tokens written (-n)",
            StopReason.ContextFull => "the context is full",
            _ => "interrupted",
        };
        streams.Error.Write(
            (streams.ErrorIsTerminal ? "\n" : "")
            + $"prompt      {Figures.Speed(timings.PromptTokens, timings.PromptTokensPerSecond)}\n"
            + $"generation  {Figures.Speed(timings.GeneratedTokens, timings.TokensPerSecond)}\n"
            + (options.Speculation == Speculation.None ? "" : $"guessed     {Figures.Drafts(completion.Drafts)}\n")
            + (model.MemoryPlan is { IsStreamed: true } ? $"experts     {MemoryFigures.Reads(model.ExpertReads)}\n" : "")
            + (MemoryFigures.DeviceReads(model) is { } copied ? $"experts     {copied}\n" : "")
            + $"finished    {finish}\n"
            + $"seed        {completion.Seed}\n");
    }

    private static RunReport Describe(
        LanguageModel model, string prompt, TextOptions options, string text, IReadOnlyList<int> ids, TextCompletion completion,
        LogitsHash? hash)
    {
        GenerationTimings timings = completion.Timings;
        return new RunReport(
            model.Model.Info.Name, prompt, completion.PromptTokens, text, ids,
            JsonNamingPolicy.SnakeCaseLower.ConvertName($"{completion.StopReason ?? StopReason.Cancelled}"), completion.StopString, completion.Seed,
            ExecutionReport.Of(model.Model),
            new TimingReport(
                timings.PromptTokens, timings.PromptTime.TotalSeconds, timings.PromptTokensPerSecond,
                timings.GeneratedTokens, timings.GenerationTime.TotalSeconds, timings.TokensPerSecond),
            options.Speculation == Speculation.None
                ? null
                : new SpeculationReport(
                    completion.Drafts.Passes, completion.Drafts.Drafted, completion.Drafts.Accepted, completion.Drafts.AcceptanceRate),
            hash?.ToString());
    }
}

/// <summary>What <c>pure run --json</c> writes. <c>ids</c> are the tokens of <c>text</c>; an end token is not among them.</summary>
internal sealed record RunReport(
    string Model, string Prompt, IReadOnlyList<int> PromptIds, string Text, IReadOnlyList<int> Ids, string FinishReason, string? StopString,
    ulong Seed, ExecutionReport Run, TimingReport Timings, SpeculationReport? Speculation, string? LogitsHash);

/// <summary>Times in seconds. Generation counts an end token; its time is that of all tokens after the first.</summary>
internal sealed record TimingReport(
    int PromptTokens, double PromptSeconds, double PromptTokensPerSecond,
    int GeneratedTokens, double GenerationSeconds, double GenerationTokensPerSecond);

/// <summary>What came of guessing ahead: forward passes with guesses, tokens guessed, and those of them that were chosen.</summary>
internal sealed record SpeculationReport(int Passes, int DraftedTokens, int AcceptedTokens, double AcceptanceRate);
