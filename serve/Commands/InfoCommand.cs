using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Pure.Chat;
using Pure.Engine;
using Pure.Engine.Formats;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Models;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Commands;

/// <summary><c>pure info</c>: what a model is, what it needs, and how it would be run here.</summary>
internal sealed class InfoCommand : PureCommand
{
    private readonly ModelArgument _model = new();
    private readonly EngineOptions _engine = new();

    private readonly Option<int?> _context = ValueOptions.OptionalNumber<int>(
        "--context", ["-c", "--ctx-size"], "N", "Context length to state the memory for, in tokens. Default: the model's.",
        "from 1 up", context => context >= 1);

    private readonly Option<bool> _json = ValueOptions.Switch("--json", "Write one JSON object.");

    internal InfoCommand()
        : base("info", "Show what a model is: architecture, sizes, tensors, memory.")
    {
        Add(_model.Argument);
        AddGroups(new OptionGroup("Options", [_context, _json]), _engine.Group, _engine.Memory, _engine.Device, _engine.Positions);
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure info model.gguf", "what a file holds and what it needs"),
        new("pure info -c 256 --kv-type f32", "memory of the embedded model at a context of 256 tokens"),
        new("pure info model.gguf --json", "the same for a program"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "Of an architecture that is not supported it shows what the file says of itself. "
        + "Active parameters are those that one token meets: all but the embedding table and the experts it does not use. Memory is what a "
        + "process has resident once it has read a text as long as the context: the weights, the key/value cache, "
        + "buffers for --prompt-chunk rows, and the runtime. Sizes are decimal (1 MB is 1,000,000 bytes).",
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        InfoReport report = Describe(parsed, streams);
        streams.Output.Write(parsed.GetValue(_json)
            ? JsonSerializer.Serialize(report, Json.Readable.InfoReport) + "\n"
            : Write(report));
        return ExitCode.Success;
    }

    private InfoReport Describe(ParseResult parsed, CommandStreams streams)
    {
        try
        {
            (ModelFile file, Model? model) = _model.Open(parsed, _engine.Read(parsed, streams, context: parsed.GetValue(_context)));
            using var _ = file;
            using var __ = model;
            uint? version = (file as GgufFile)?.Version;
            var format = new FormatReport(
                version is null ? FormatReport.Safetensors : "gguf", version, file.FileBytes, file.Path, _model.IsEmbedded(parsed));
            return Describe(file, format, model, parsed.GetValue(_context));
        }
        catch (ModelFormatException error) when (error.UnsupportedArchitecture is not null && _model.Path(parsed) is { } folder && Directory.Exists(folder))
        {
            return OfUnknownFolder(folder, error.UnsupportedArchitecture);
        }
    }

    /// <summary>What the weights of a folder say for themselves, where their architecture is not supported.</summary>
    private static InfoReport OfUnknownFolder(string folder, string architecture)
    {
        var tensors = new List<TensorReport>();
        long bytes = 0;
        foreach (string path in Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            bytes += file.FileBytes;
            tensors.AddRange(file.Tensors.Select(
                tensor => new TensorReport(tensor.Name, $"{tensor.Type}", [.. tensor.Shape], tensor.Data.Length)));
        }

        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        var format = new FormatReport(FormatReport.Safetensors, null, bytes, folder, Embedded: false);
        return new InfoReport(name, architecture, Supported: false, format, SizesOf(tensors), null, null, null, tensors);
    }

    private static SizeReport SizesOf(IReadOnlyList<TensorReport> tensors) => new(
        tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size)), null, null, null, null, null);

    private static InfoReport Describe(ModelFile file, FormatReport format, Model? model, int? context)
    {
        IReadOnlyList<TensorReport> tensors =
            [.. file.Tensors.Select(tensor => new TensorReport(tensor.Name, $"{tensor.Type}", [.. tensor.Shape], tensor.Bytes))];
        if (model is null)
        {
            string architecture = file.Metadata.FindString("general.architecture") ?? "";
            SizeReport? known = tensors.Count == 0 ? null : SizesOf(tensors) with
            {
                Layers = Size("block_count"),
                EmbeddingLength = Size("embedding_length"),
                VocabularySize = file.Metadata.FindCount("tokenizer.ggml.tokens"),
                ContextLength = Size("context_length"),
            };
            return new InfoReport(
                file.Metadata.FindString("general.name") ?? "", architecture, known is null, format, known, null, SamplingReport.Of(file), null, tensors);

            long? Size(string key) => file.Metadata.FindInteger($"{architecture}.{key}");
        }

        ModelInfo info = model.Info;
        int length = context ?? info.ContextLength;
        if (length > info.ContextLength)
            throw new UsageException($"--context is {length}, but the model's context is {info.ContextLength} tokens; ask for at most that.");
        MemoryNeed need = model.MemoryFor(length);
        var sizes = new SizeReport(
            info.Parameters, info.ActiveParameters, info.Layers, info.EmbeddingLength, info.VocabularySize, info.ContextLength);
        var memory = new MemoryReport(
            length, info.WeightBytes, need.Weights, model.CacheShape.BytesPerPosition(model.Options.CacheType, model.Options.ValueCacheType), need.Cache, need.Buffers,
            Figures.RuntimeBytes, need.Total + Figures.RuntimeBytes, need.OnDevices);
        return new InfoReport(
            info.Name, info.Architecture, Supported: true, format, sizes, memory, SamplingReport.Of(file), ExecutionReport.Of(model), tensors)
        {
            Limited = model.MemoryPlan,
            Placed = DeviceChoice.Placed(model)?.Lines,
        };
    }

    private static string Write(InfoReport report)
    {
        var text = new StringBuilder();
        string types = string.Join(
            ", ",
            report.Tensors.CountBy(tensor => tensor.Type).OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Value} {pair.Key}"));
        Line("name", report.Name);
        Line("architecture", report.Supported ? report.Architecture : $"{report.Architecture}: not supported by this version");
        string place = report.Format.Path + (report.Format.Embedded ? " (embedded)" : "");
        string kind = report.Format.Version is { } version ? $"GGUF version {version}" : "Hugging Face folder";
        Line("file", $"{place}: {kind}, {Figures.Bytes(report.Format.Bytes)}");
        if (report.Sizes is not { } sizes)
        {
            Line("tensors", "none: a vocabulary only");
            return text.ToString();
        }

        string active = sizes.ActiveParameters is { } met ? $", of which {Figures.Count(met)} are active per token" : "";
        Line("parameters", Figures.Count(sizes.Parameters) + active);
        Size("layers", sizes.Layers, "");
        Size("embedding", sizes.EmbeddingLength, "");
        Size("vocabulary", sizes.VocabularySize, " tokens");
        Size("context", sizes.ContextLength, " tokens");
        if (report is { Memory: { } memory, Run: { } run })
        {
            Line("weights", $"{Figures.Bytes(memory.WeightBytes)}, {Figures.Decimal(8.0 * memory.WeightBytes / sizes.Parameters, 2)} bits per parameter");
            Line("cache", $"{Figures.Bytes(memory.CacheBytesPerPosition)} per token ({run.KvType})");
            Line(
                "memory",
                $"{Figures.Bytes(memory.TotalBytes)} at {Figures.Count(memory.Context)} tokens: "
                + $"weights {Figures.Bytes(memory.WeightBytesInMemory)}, cache {Figures.Bytes(memory.CacheBytes)}, "
                + $"buffers {Figures.Bytes(memory.BufferBytes)}, .NET {Figures.Bytes(memory.RuntimeBytes)}"
                + (memory.DeviceBytes == 0 ? "" : $"; besides {Figures.Bytes(memory.DeviceBytes)} on devices"));
        }

        foreach (string placed in report.Placed ?? [])
            Line("device", placed);
        if (report.Limited is { } limited)
            Line("limited", MemoryFigures.Plan(limited));
        if (report.Sampling is { } sampling)
            Line("sampling", sampling.ToString());
        if (report.Run is { } execution)
            Line("run here with", $"{execution.Isa}, {execution.Threads} thread{(execution.Threads == 1 ? "" : "s")}, {execution.Activations} activations");
        Line("tensors", $"{report.Tensors.Count}: {types}");
        text.Append('\n');

        var table = new TextTable("tensor", "type", "shape", ">bytes");
        foreach (TensorReport tensor in report.Tensors)
            table.Add(tensor.Name, tensor.Type, $"[{string.Join(", ", tensor.Shape)}]", Figures.Count(tensor.Bytes));
        return text.Append(table).ToString();

        void Size(string name, long? value, string unit)
        {
            if (value is { } size)
                Line(name, Figures.Count(size) + unit);
        }

        void Line(string name, string value) => text.Append(name.PadRight(15)).Append(value).Append('\n');
    }
}

/// <summary>
/// What <c>pure info --json</c> writes. A file with a vocabulary only has no sizes, memory and run; one of an architecture that is not
/// supported has the sizes that it states.
/// </summary>
internal sealed record InfoReport(
    string Name, string Architecture, bool Supported, FormatReport Format, SizeReport? Sizes, MemoryReport? Memory, SamplingReport? Sampling, ExecutionReport? Run,
    IReadOnlyList<TensorReport> Tensors)
{
    /// <summary>What a limited memory would be used for, where one is given.</summary>
    public MemoryPlan? Limited { get; init; }

    /// <summary>What runs on devices, a line for each, where one was asked for.</summary>
    public IReadOnlyList<string>? Placed { get; init; }
}

/// <summary>The file; of a model in several files, all of them together.</summary>
internal sealed record FormatReport(string Kind, uint? Version, long Bytes, string Path, bool Embedded)
{
    /// <summary>The kind of a Hugging Face folder.</summary>
    internal const string Safetensors = "safetensors";
}

/// <summary>Counts and lengths, as far as they are known.</summary>
internal sealed record SizeReport(
    long Parameters, long? ActiveParameters, long? Layers, long? EmbeddingLength, long? VocabularySize, long? ContextLength);

/// <summary>
/// Bytes at a context length, at most: weights in the file, and what a process has of it all; the runtime's part as measured on Linux. What is in
/// the memory of devices is not in the total.
/// </summary>
internal sealed record MemoryReport(
    int Context,
    long WeightBytes,
    long WeightBytesInMemory,
    long CacheBytesPerPosition,
    long CacheBytes,
    long BufferBytes,
    long RuntimeBytes,
    long TotalBytes,
    long DeviceBytes);

/// <summary>How the model's makers would have its tokens chosen, as far as they say.</summary>
internal sealed record SamplingReport(
    float? Temp, int? TopK, float? TopP, float? MinP, float? RepeatPenalty, int? PenaltyWindow)
{
    internal static SamplingReport? Of(ModelFile file)
    {
        var own = SamplingDefaults.Of(file);
        return own == new SamplingDefaults()
            ? null
            : new SamplingReport(own.Temperature, own.TopK, own.TopP, own.MinP, own.RepetitionPenalty, own.PenaltyWindow);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        (string Name, IFormattable? Value)[] values =
        [
            ("temperature", Temp), ("top-k", TopK), ("top-p", TopP), ("min-p", MinP), ("repetition penalty", RepeatPenalty),
            ("penalty window", PenaltyWindow),
        ];
        return string.Join(", ", from own in values
                                 where own.Value is not null
                                 select $"{own.Name} {own.Value.ToString(null, CultureInfo.InvariantCulture)}");
    }
}

/// <summary>One tensor; shape with the slowest dimension first.</summary>
internal sealed record TensorReport(string Name, string Type, IReadOnlyList<long> Shape, long Bytes);
