using System.CommandLine;
using System.Runtime.InteropServices;
using Pure.Engine.Models;
using Pure.Engine.Reference;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Commands;

/// <summary><c>pure logits</c>: the logits of every position of a text, for comparing engines.</summary>
internal sealed class LogitsCommand : PureCommand
{
    private readonly ModelArgument _model = new();
    private readonly EngineOptions _engine = new();
    private readonly TokenSource _tokens = new();
    private readonly Option<Precision?> _precision = PrecisionOption.Create();
    private readonly Option<string?> _out = ValueOptions.Text("--out", ["-o"], "F", "The file to write; it appears when it is whole.");

    internal LogitsCommand()
        : base("logits", "Write the logits of every position of a text to a file.")
    {
        Add(_model.Argument);
        AddGroups(new OptionGroup("Options", [.. _tokens.Options, _precision, _out]), _engine.Group, _engine.Memory, _engine.Device, _engine.Positions);
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure logits -p \"Once upon a time\" --out logits.f32", "five rows from the embedded model, the first after the beginning-of-text token"),
        new("pure logits model.gguf --tokens 0,439,448,274,411 --out logits.f32", "five rows, one for each id"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "The file holds little-endian 32-bit floats, one row of vocabulary size per position, before any softmax: "
        + "numpy.fromfile(\"logits.f32\", \"<f4\").reshape(positions, -1) reads it. With --precision f64 they are computed in double "
        + "precision and rounded to 32 bits when they are written.",
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        string path = parsed.GetValue(_out) ?? throw new UsageException("logits needs a file to write: --out F.");
        (Model model, int[] tokens) = _tokens.Load(parsed, streams, _model, _engine.Read(parsed, streams));
        DeviceChoice.Say(model, streams);
        using (model)
        {
            using OutputFile file = OutputFile.Create(path);
            if (parsed.GetValue(_precision) == Precision.F64)
                WriteReference(model, tokens, file.Stream, cancellation);
            else
                ProgressBar.Run(streams, "logits", tokens.Length, progress => Write(model, tokens, file.Stream, progress, cancellation));
            file.Complete();
            streams.Error.WriteLine(
                $"{path}: {tokens.Length} position{(tokens.Length == 1 ? "" : "s")} of {model.Info.VocabularySize} logits, "
                + $"{Figures.Bytes(4L * tokens.Length * model.Info.VocabularySize)}");
            return ExitCode.Success;
        }
    }

    private static void Write(Model model, int[] tokens, Stream output, Action<long> progress, CancellationToken cancellation)
    {
        RequireLittleEndian();
        using var text = new EveryPosition(model, tokens.Length);
        text.Visit(
            tokens,
            (position, logits) =>
            {
                output.Write(MemoryMarshal.AsBytes(logits));
                progress(position + 1);
            },
            cancellation);
    }

    private static void WriteReference(Model model, int[] tokens, Stream output, CancellationToken cancellation)
    {
        RequireLittleEndian();
        foreach (double[] logits in new ReferenceModel(model).Logits(tokens, trace: null, cancellation))
            output.Write(MemoryMarshal.AsBytes<float>(Array.ConvertAll(logits, logit => (float)logit)));
    }

    private static void RequireLittleEndian()
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("Logits are written on little-endian machines only.");
    }
}
