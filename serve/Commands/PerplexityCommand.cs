using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Pure.Chat;
using Pure.Serve.CommandLine;
using Pure.Tokenizers;

namespace Pure.Serve.Commands;

/// <summary><c>pure perplexity</c>: how well a model predicts texts.</summary>
internal sealed class PerplexityCommand : PureCommand
{
    private readonly ModelArgument _model = new();
    private readonly EngineOptions _engine = new();

    private readonly Option<string?> _file = ValueOptions.Text(
        "--file", ["-f"], "F", "The texts, in UTF-8; - is standard input. Lines holding exactly <|endoftext|> part them.");

    private readonly Option<bool> _json = ValueOptions.Switch("--json", "Write one JSON object.");

    internal PerplexityCommand()
        : base("perplexity", "Measure how well a model predicts texts.")
    {
        Add(_model.Argument);
        AddGroups(new OptionGroup("Options", [_file, _json]), _engine.Group, _engine.Memory, _engine.Device, _engine.Positions);
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure perplexity --file stories.txt", "the embedded model on your own stories"),
        new("pure perplexity model.gguf --file texts.txt --activations f32 --kv-type f32", "a model at full precision"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "Each text is scored on its own: the beginning-of-text token, the text, the end-of-text token, cut to the context. The figure is "
        + "the mean of -ln p over all predicted tokens, in nats; perplexity is its exponential.",
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        string path = parsed.GetValue(_file) ?? throw new UsageException("perplexity needs a file with texts: --file F.");
        IReadOnlyList<string> texts = PerplexityText.Parts(TextInput.Read(path, streams));
        if (texts.Count == 0)
            throw new UsageException($"{path} holds no text; give a file with at least one.");

        using LanguageModel model = _model.Load(parsed, _engine.Read(parsed, streams));
        DeviceChoice.Say(model.Model, streams);
        PerplexityReport report = Measure(model, texts, streams, cancellation);
        if (parsed.GetValue(_json))
        {
            streams.Output.WriteLine(JsonSerializer.Serialize(report, Json.Readable.PerplexityReport));
            return ExitCode.Success;
        }

        streams.Output.Write(
            $"nats per token  {Figures.Decimal(report.NatsPerToken, 6)}\n"
            + $"perplexity      {Figures.Decimal(report.Perplexity, 4)}\n"
            + $"tokens          {Figures.Count(report.Tokens)} predicted, "
            + $"in {Figures.Count(report.Texts)} text{(report.Texts == 1 ? "" : "s")}\n");
        if (report.CutTexts > 0)
            streams.Output.Write($"cut             {Figures.Count(report.CutTexts)}, to the context of {Figures.Count(model.Model.Info.ContextLength)}\n");
        streams.Error.WriteLine($"{Figures.Decimal(report.TokensPerSecond, 1)} tokens/s, {Figures.Decimal(report.Seconds, 1)} s");
        if (MemoryFigures.DeviceReads(model.Model) is { } copied)
            streams.Error.WriteLine($"experts     {copied}");
        return ExitCode.Success;
    }

    private static PerplexityReport Measure(
        LanguageModel model, IReadOnlyList<string> texts, CommandStreams streams, CancellationToken cancellation)
    {
        int context = model.Model.Info.ContextLength;
        List<int[]> parts = [.. texts.Select(text => Ids(text, model.Tokenizer)).Where(ids => ids.Length > 1)];
        int longest = Math.Min(context, parts.Max(ids => ids.Length));
        long total = parts.Sum(ids => Math.Min(ids.Length, context) - 1L);
        double nats = 0;
        long done = 0;
        long started = Stopwatch.GetTimestamp();
        ProgressBar.Run(streams, "perplexity", total, progress =>
        {
            using var everyPosition = new EveryPosition(model.Model, longest);
            foreach (int[] ids in parts)
            {
                // The last token is only predicted.
                int predicting = Math.Min(ids.Length, context) - 1;
                everyPosition.Visit(ids.AsSpan(0, predicting), (position, logits) => nats -= LogProbability(logits, ids[position + 1]), cancellation);
                progress(done += predicting);
            }
        });

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double mean = nats / total;
        return new PerplexityReport(mean, Math.Exp(mean), total, parts.Count, parts.Count(ids => ids.Length > context), seconds, total / seconds);
    }

    private static int[] Ids(string text, Tokenizer tokenizer)
    {
        var ids = new List<int>();
        if (tokenizer.Bos is { } bos)
            ids.Add(bos);
        tokenizer.Encode(text, ids, addSpecial: false, parseSpecial: false);
        if (tokenizer.Eos is { } eos)
            ids.Add(eos);
        return [.. ids];
    }

    /// <summary>ln softmax(logits)[token], in double: the sum may have a hundred thousand terms.</summary>
    private static double LogProbability(ReadOnlySpan<float> logits, int token)
    {
        float largest = float.NegativeInfinity;
        foreach (float logit in logits)
            largest = Math.Max(largest, logit);
        double sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp((double)logit - largest);
        return (double)logits[token] - largest - Math.Log(sum);
    }
}

/// <summary>What <c>pure perplexity --json</c> writes.</summary>
internal sealed record PerplexityReport(
    double NatsPerToken, double Perplexity, long Tokens, int Texts, int CutTexts, double Seconds, double TokensPerSecond);
