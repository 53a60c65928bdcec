using System.CommandLine;
using System.Globalization;
using Pure.Engine.Models;
using Pure.Engine.Reference;
using Pure.Serve.CommandLine;
using Pure.Serve.Comparing;

namespace Pure.Serve.Commands;

/// <summary><c>pure diff</c>: where two traces, or two files of logits, part first.</summary>
internal sealed class DiffCommand : PureCommand
{
    private const double DefaultTolerance = 1e-4;

    private readonly Argument<string> _ours = new("OURS") { Description = "A trace (safetensors), or rows of 32-bit logits." };
    private readonly Argument<string> _theirs = new("THEIRS") { Description = "The one to compare with; errors are relative to it." };
    private readonly Option<double> _tolerance = ValueOptions.Number<double>(
        "--tolerance", [], "X", "Largest relative RMS error of a position that agrees. Default: 0.0001.",
        "from 0 up", tolerance => tolerance >= 0 && double.IsFinite(tolerance), DefaultTolerance);

    private readonly Option<string?> _map = ValueOptions.Text(
        "--map", [], "PAIRS", "Their names of ours, separated by commas; * stands for the same on both sides: blk.*.attn_out=layers.*.attn.");

    private readonly Option<int?> _vocabulary = ValueOptions.OptionalNumber<int>(
        "--vocab", [], "N", "Numbers in a row of a logits file.", "from 1 up", count => count > 0);

    private readonly Option<string?> _model = ValueOptions.Text("--model", [], "MODEL", "The model, a GGUF file or a folder, to take --vocab from.");
    private readonly Option<bool> _all = ValueOptions.Switch("--all", "Show the errors of every tensor.");

    internal DiffCommand()
        : base("diff", "Find where two traces, or two files of logits, part first.")
    {
        Add(_ours);
        Add(_theirs);
        AddGroups(new OptionGroup("Options", [_tolerance, _map, _vocabulary, _model, _all]));
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure diff ours.safetensors theirs.safetensors", "two traces of the same tokens"),
        new("pure diff ours.f32 theirs.f32 --model model.gguf", "two files of pure logits, or of another engine"),
        new("pure diff ours.safetensors theirs.safetensors --map \"blk.*.ffn_out=layers.*.mlp\"", "a trace with names of its own"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        $"Exit code {ExitCode.Success} where they agree, {ExitCode.Different} where they part, {ExitCode.BadInput} where they cannot be compared. "
        + "The error of a position is the root mean square of the differences over the root mean square of THEIRS at that position.",
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        double tolerance = parsed.GetValue(_tolerance);
        var names = new NameMap(parsed.GetValue(_map));
        int? vocabulary = parsed.GetValue(_vocabulary) ?? (parsed.GetValue(_model) is { } model ? Compared.VocabularyOf(model) : null);
        (Compared ours, Compared theirs) = Compared.Open(parsed.GetValue(_ours)!, parsed.GetValue(_theirs)!, vocabulary);
        if (ours.Tokens is { } tokens && theirs.Tokens is { } others && tokens != others)
            throw new UsageException($"{ours.Path} was made from the tokens {tokens}, {theirs.Path} from {others}; trace the same tokens.");

        TraceComparison comparison = TraceComparison.Of(ours.Content.Trace, theirs.Content.Trace, tolerance, names.Theirs);
        if (parsed.GetValue(_all))
            streams.Output.Write(Table(comparison) + "\n");
        WriteVerdict(comparison, tolerance, streams.Output);
        WriteMissing(comparison, streams.Error);
        return comparison.First is null ? ExitCode.Success : ExitCode.Different;
    }

    private static void WriteVerdict(TraceComparison comparison, double tolerance, StreamWriter output)
    {
        if (comparison.First is not { } first)
        {
            TensorComparison worst = comparison.Tensors.MaxBy(tensor => tensor.LargestError)!;
            output.Write(
                $"They agree in {comparison.Tensors.Count} tensor{(comparison.Tensors.Count == 1 ? "" : "s")}: the largest relative error is "
                + $"{Error(worst.LargestError)}, in {worst.Name} at position {worst.LargestRow} (tolerance {Error(tolerance)}).\n");
            return;
        }

        (int? layer, _) = TraceName.Split(first.Name);
        output.Write(
            $"They part in {first.Name}{(layer is null ? "" : $", layer {layer}")}, at position {first.FirstRow}.\n\n"
            + $"relative error  {Error(first.Error)} there, tolerance {Error(tolerance)}; largest {Error(first.LargestError)}, at position {first.LargestRow}\n"
            + $"positions       {first.PartingRows} of {first.Rows} part\n"
            + $"farthest        column {first.Column}: ours {Number(first.Ours)}, theirs {Number(first.Theirs)}\n"
            + $"before it       {(comparison.Before is { } before ? $"{before.Name} agrees, largest error {Error(before.LargestError)}" : "nothing that both have")}\n");
        IReadOnlyList<string> causes = TypicalCauses.Of(comparison);
        if (causes.Count > 0)
            output.Write("\nTypical causes:\n" + string.Concat(causes.Select(cause => $"- {cause}\n")));
    }

    /// <summary>What could not be compared is said, and is no difference: engines name and keep what they like.</summary>
    private static void WriteMissing(TraceComparison comparison, StreamWriter error)
    {
        const int Shown = 5;
        foreach ((string whose, IReadOnlyList<string> names) in (ReadOnlySpan<(string, IReadOnlyList<string>)>)
            [("ours", comparison.OnlyOurs), ("theirs", comparison.OnlyTheirs)])
        {
            if (names.Count > 0)
                error.WriteLine($"only in {whose}: {string.Join(", ", names.Take(Shown))}{(names.Count > Shown ? $" and {names.Count - Shown} more" : "")}");
        }
    }

    private static string Table(TraceComparison comparison)
    {
        var table = new TextTable("tensor", ">positions", ">first to part", ">parting", ">largest error", ">at");
        foreach (TensorComparison tensor in comparison.Tensors)
        {
            table.Add(
                tensor.Name,
                Figures.Count(tensor.Rows),
                tensor.FirstRow?.ToString(CultureInfo.InvariantCulture) ?? "-",
                Figures.Count(tensor.PartingRows),
                Error(tensor.LargestError),
                Figures.Count(tensor.LargestRow));
        }

        return table.ToString();
    }

    private static string Error(double error) => error.ToString("0.0e+0", CultureInfo.InvariantCulture);

    private static string Number(double number) => number.ToString("G7", CultureInfo.InvariantCulture);
}
