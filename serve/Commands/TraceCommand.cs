using System.CommandLine;
using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Models;
using Pure.Engine.Reference;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Commands;

/// <summary><c>pure trace</c>: every named intermediate of a forward pass, for finding where two engines part.</summary>
internal sealed class TraceCommand : PureCommand
{
    private readonly ModelArgument _model = new();
    private readonly EngineOptions _engine = new();
    private readonly TokenSource _tokens = new();
    private readonly Option<Precision?> _precision = PrecisionOption.Create();
    private readonly Option<string?> _out = ValueOptions.Text("--out", ["-o"], "F", "The safetensors file to write; it appears when it is whole.");

    internal TraceCommand()
        : base("trace", "Write every intermediate of a forward pass to a file, by name.")
    {
        Add(_model.Argument);
        AddGroups(new OptionGroup("Options", [.. _tokens.Options, _precision, _out]), _engine.Group, _engine.Memory, _engine.Positions);
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure trace --tokens 0,439,448 --out ours.safetensors --kv-type f32 --activations f32", "the embedded model, in floats throughout"),
        new("pure trace model.gguf --tokens 0,439,448 --out exact.safetensors --precision f64", "the last word, in double precision"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "Tensors are [positions, width]: embedding; of each layer L blk.L.attn_norm, attn_out, attn_post_norm, attn_residual, ffn_norm, "
        + "router_logits, ffn_out, ffn_post_norm and layer_out, of which a family has some; output_norm and logits. They are F32, or F64 "
        + "with --precision f64. pure diff compares two such files; docs/reference.md says what each name means.",
        "By default keys and values are rounded to 16 bits and quantised weights meet 8-bit activations: against another engine, "
        + "compare with --kv-type f32 --activations f32.",
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        string path = parsed.GetValue(_out) ?? throw new UsageException("trace needs a file to write: --out F.");
        Precision precision = parsed.GetValue(_precision) ?? Precision.F32;
        (Model model, int[] tokens) = _tokens.Load(parsed, streams, _model, _engine.Read(parsed, streams));
        using (model)
        {
            using OutputFile file = OutputFile.Create(path);
            var trace = new Trace();
            if (precision == Precision.F64)
                new ReferenceModel(model).Logits(tokens, trace, cancellation);
            else
                Run(model, tokens, trace, streams, cancellation);
            new TraceFile(trace, Describe(model, tokens, precision))
                .Write(file.Stream, precision == Precision.F64 ? SafetensorsType.F64 : SafetensorsType.F32);
            file.Complete();
            streams.Error.WriteLine(
                $"{path}: {trace.Tensors.Count} tensors of {tokens.Length} position{(tokens.Length == 1 ? "" : "s")}");
            return ExitCode.Success;
        }
    }

    private static void Run(Model model, int[] tokens, Trace trace, CommandStreams streams, CancellationToken cancellation) =>
        ProgressBar.Run(streams, "trace", tokens.Length, progress =>
        {
            using var text = new EveryPosition(model, tokens.Length);
            text.Visit(tokens, (position, _) => progress(position + 1), cancellation, trace);
        });

    private static Dictionary<string, string> Describe(Model model, int[] tokens, Precision precision)
    {
        var description = new Dictionary<string, string>
        {
            ["model"] = Path.GetFileName(model.File.Path),
            ["architecture"] = model.Info.Architecture,
            ["tokens"] = string.Join(',', tokens),
            ["precision"] = precision == Precision.F64 ? "float64" : "float32",
        };
        if (precision == Precision.F32)
        {
            description["isa"] = Lower(model.Isa);
            description["activations"] = Lower(model.Options.Activations);
            description["kv_type"] = ExecutionReport.CacheWord(model.Options);
        }

        return description;
    }

#pragma warning disable CA1308 // The words of the command line are lower-case.
    private static string Lower(Enum value) => value.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
