using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Pure.Engine.Models;
using Pure.Serve.Benchmark;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Commands;

/// <summary><c>pure bench</c>: how fast a model reads and writes.</summary>
internal sealed class BenchCommand : PureCommand
{
    private const int MostTokens = 1 << 24;
    private const string DefaultMix = "Q4_0";

    private readonly ModelArgument _model = new();
    private readonly EngineOptions _engine = new(hasThreads: false);

    private readonly Option<string?> _shape = ValueOptions.Text(
        "--shape", [], "S", $"Measure random weights of a known shape: {string.Join(", ", ModelShape.All.Select(shape => shape.Name))}.");

    private readonly Option<string?> _type = ValueOptions.Text(
        "--type", [], "T", $"Their element types: {string.Join(", ", WeightMix.All.Select(mix => mix.Name))}. Default: {DefaultMix}.");

    private readonly Option<ulong?> _seed = ValueOptions.OptionalNumber<ulong>(
        "--seed", ["-s"], "N", "Their seed. Default: 1.", "from 0 up", _ => true);

    private readonly Option<string?> _export = ValueOptions.Text(
        "--export", [], "F", "Write them as a GGUF file that other engines open too; without -p or -n that is all.");

    private readonly Option<int[]> _prompt = ValueOptions.Numbers(
        "--prompt", ["-p"], "Prompt tokens to read at once; 0 for none. Default: 512.", 0, MostTokens, 512);

    private readonly Option<int[]> _generate = ValueOptions.Numbers(
        "--generate", ["-n"], "Tokens to decode one by one; 0 for none. Default: 128.", 0, MostTokens, 128);

    private readonly Option<int[]> _depth = ValueOptions.Numbers(
        "--depth", ["-d"], "Tokens in the cache before. Default: 0.", 0, MostTokens, 0);

    private readonly Option<int[]> _batch = ValueOptions.Numbers(
        "--batch", [], "Sequences to decode side by side. Default: 1.", 1, 65536, 1);

    private readonly Option<int[]> _threads = ValueOptions.Numbers(
        "--threads", ["-t"], "Threads to compute with. Default: the physical cores this process may use.", 1, EngineOptions.MostThreads, 0);

    private readonly Option<int> _repetitions = ValueOptions.Number<int>(
        "--repetitions", ["-r"], "N", "Measured runs after the warm-up; medians are reported. Default: 5.", "from 1 to 1000", runs => runs is >= 1 and <= 1000, 5);

    private readonly Option<Form?> _output = ValueOptions.Choice(
        "--output", "What to write. JSON is one object a line for each case. Default: table.",
        ("table", Form.Table), ("json", Form.Json), ("csv", Form.Csv), ("markdown", Form.Markdown), ("md", Form.Markdown));

    private readonly Option<bool> _json = ValueOptions.Switch("--json", "Short for --output json.");

    internal BenchCommand()
        : base("bench", "Measure how fast a model reads and writes.")
    {
        Add(_model.Argument);
        AddGroups(
            new OptionGroup("Random weights", [_shape, _type, _seed, _export]),
            new OptionGroup("Measurement", [_prompt, _generate, _depth, _batch, _threads, _repetitions]),
            new OptionGroup("Output", [_output, _json]),
            _engine.Group,
            _engine.Memory,
            _engine.Device,
            _engine.Positions);
    }

    private enum Form
    {
        Table,
        Json,
        Csv,
        Markdown,
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure bench model.gguf -p 512 -n 128 --threads 1,2", "a file, with one thread and with two"),
        new("pure bench --shape dense-1b --type Q4_0 --json", "random weights, for a program"),
        new("pure bench --shape mla-tiny -p 0 -n 16 --depth 131072,200000", "decoding after very long texts"),
        new("pure bench --shape mla-moe --type Q4_K_M --export mla-moe.gguf", "random weights as a file that other engines open too"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "Lists such as 0,8192 measure every combination. Token ids are random and nothing is sampled, as in llama-bench. Depth counts for "
        + "both tests. \"Of read bandwidth\" compares the bytes of weights that a decoded token needs, times tokens per second, with "
        + "what as many threads can read from memory, measured between the runs; a model that fits the caches can pass 100 %.",
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        BenchModel source = Source(parsed);
        if (parsed.GetValue(_export) is { } path)
        {
            source.Export(path);
            streams.Error.WriteLine($"{path}: {source.Shape!.Name} {source.Mix!.Name}, {Figures.Bytes(new FileInfo(path).Length)}");
            if (!IsGiven(parsed, _prompt) && !IsGiven(parsed, _generate))
                return ExitCode.Success;
            source = source with { Path = path };
        }

        BenchCase[] cases = [.. Cases(parsed)];
        if (cases.Length == 0)
            throw new UsageException("-p and -n are both 0, so there is nothing to measure; give one of them a number of tokens.");
        ModelOptions options = _engine.Read(parsed, streams, positions: cases.Max(what => what.Positions), texts: cases.Max(what => what.Batch));
        Form form = parsed.GetValue(_json) ? Form.Json : parsed.GetValue(_output) ?? Form.Table;
        var reports = new List<BenchReport>();
        foreach (int threads in parsed.GetValue(_threads)!)
        {
            foreach (BenchReport report in Measure(
                source, options with { Threads = threads }, cases, reports.Count == 0 && parsed.GetValue(_export) is null, cancellation))
            {
                reports.Add(report);
                if (form == Form.Json)
                    streams.Output.WriteLine(JsonSerializer.Serialize(report, Json.Readable.BenchReport));
            }
        }

        streams.Output.Write(form switch
        {
            Form.Table => BenchTable.Text(reports),
            Form.Csv => BenchTable.Csv(reports),
            Form.Markdown => BenchTable.Markdown(reports, "pure " + string.Join(' ', parsed.Tokens.Select(token => token.Value))),
            _ => "",
        });
        return ExitCode.Success;
    }

    private static IEnumerable<BenchReport> Measure(
        BenchModel source, ModelOptions options, IReadOnlyList<BenchCase> cases, bool isFirst, CancellationToken cancellation)
    {
        Machine machine = Machine.Describe();
        long started = Stopwatch.GetTimestamp();
        using Model model = source.Load(options);
        double? loadSeconds = source.Path is null ? null : Stopwatch.GetElapsedTime(started).TotalSeconds;
        using var bandwidth = new ReadBandwidth(model.Threads);
        foreach (BenchCase what in cases)
        {
            using var run = new BenchRun(model, what);
            for (int repetition = 0; repetition < what.Repetitions; repetition++)
                run.Repeat(bandwidth, cancellation);
            yield return BenchReport.Of(model, source, what, run, machine, isFirst) with { LoadSeconds = loadSeconds };
            isFirst = false;
        }
    }

    private IEnumerable<BenchCase> Cases(ParseResult parsed) =>
        from depth in parsed.GetValue(_depth)!
        from batch in parsed.GetValue(_batch)!
        from prompt in parsed.GetValue(_prompt)!
        from generate in parsed.GetValue(_generate)!
        where prompt + generate > 0
        select new BenchCase(prompt, generate, depth, batch, parsed.GetValue(_repetitions));

    private BenchModel Source(ParseResult parsed)
    {
        string? shapeName = parsed.GetValue(_shape);
        string? path = parsed.GetValue(_model.Argument);
        if (shapeName is null)
        {
            foreach (Option option in (Option[])[_type, _seed, _export])
            {
                if (IsGiven(parsed, option))
                    throw new UsageException($"{option.Name} is about random weights; name their shape with --shape.");
            }

            return new BenchModel(_model.Path(parsed), null, null, 0);
        }

        if (path is not null)
            throw new UsageException($"both a model, {path}, and --shape {shapeName} are given; give one of them.");
        ModelShape shape = ModelShape.All.FirstOrDefault(shape => shape.Name == shapeName)
            ?? throw Unknown("--shape", shapeName, ModelShape.All.Select(shape => shape.Name));
        string typeName = parsed.GetValue(_type) ?? DefaultMix;
        WeightMix mix = WeightMix.All.FirstOrDefault(mix => mix.Name.Equals(typeName, StringComparison.OrdinalIgnoreCase))
            ?? throw Unknown("--type", typeName, WeightMix.All.Select(mix => mix.Name));
        return new BenchModel(null, shape, mix, parsed.GetValue(_seed) ?? 1);
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private static UsageException Unknown(string option, string given, IEnumerable<string> known) =>
        new($"{option} is \"{given}\", which does not exist; choose one of {string.Join(", ", known)}.");
}
