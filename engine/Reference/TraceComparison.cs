using Pure.Engine.Models;

namespace Pure.Engine.Reference;

/// <summary>Two traces of the same tokens, compared tensor by tensor in the order of the forward pass.</summary>
public sealed class TraceComparison
{
    private TraceComparison(IReadOnlyList<TensorComparison> tensors, IReadOnlyList<string> onlyOurs, IReadOnlyList<string> onlyTheirs)
    {
        Tensors = tensors;
        OnlyOurs = onlyOurs;
        OnlyTheirs = onlyTheirs;
        int parting = tensors.TakeWhile(tensor => tensor.FirstRow is null).Count();
        First = parting < tensors.Count ? tensors[parting] : null;
        Before = parting > 0 ? tensors[parting - 1] : null;
    }

    /// <summary>Every tensor that both have, by our names.</summary>
    public IReadOnlyList<TensorComparison> Tensors { get; }

    /// <summary>Our names that they lack.</summary>
    public IReadOnlyList<string> OnlyOurs { get; }

    /// <summary>Their names that we lack.</summary>
    public IReadOnlyList<string> OnlyTheirs { get; }

    /// <summary>The first tensor that parts, or null where all agree.</summary>
    public TensorComparison? First { get; }

    /// <summary>The last tensor that agrees before <see cref="First"/>, or null.</summary>
    public TensorComparison? Before { get; }

    /// <param name="ours">One trace.</param>
    /// <param name="theirs">The one to compare with: errors are relative to it.</param>
    /// <param name="tolerance">Largest relative error of a position that agrees (see <see cref="TensorComparison"/>).</param>
    /// <param name="theirName">Their name of ours; null where they are the same.</param>
    /// <exception cref="InvalidRequestException">They have no name in common, or a tensor's shapes differ.</exception>
    public static TraceComparison Of(Trace ours, Trace theirs, double tolerance, Func<string, string>? theirName = null)
    {
        ArgumentNullException.ThrowIfNull(ours);
        ArgumentNullException.ThrowIfNull(theirs);
        theirName ??= name => name;
        Dictionary<string, TracedTensor> byName = theirs.Tensors.ToDictionary(tensor => tensor.Name);
        var tensors = new List<TensorComparison>();
        var onlyOurs = new List<string>();
        foreach (TracedTensor tensor in ours.Tensors.OrderBy(tensor => TraceName.Order(tensor.Name)))
        {
            if (byName.Remove(theirName(tensor.Name), out TracedTensor? other))
                tensors.Add(TensorComparison.Of(tensor, other, tolerance));
            else
                onlyOurs.Add(tensor.Name);
        }

        if (tensors.Count == 0)
        {
            throw new InvalidRequestException(
                $"The traces have no name in common: ours begin with {Some(onlyOurs)}, theirs with {Some(byName.Keys)}; say which belong together.");
        }

        return new TraceComparison(tensors, onlyOurs, [.. byName.Keys]);
    }

    private static string Some(IEnumerable<string> names) => string.Join(", ", names.Take(3).Select(name => $"'{name}'").DefaultIfEmpty("nothing"));
}

/// <summary>
/// One tensor of two traces. The error of a position is the root mean square of the differences over the root mean square of their
/// numbers there; where all of those are 0, over that of their whole tensor.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">Positions.</param>
/// <param name="FirstRow">The first position whose error is above the tolerance, or null.</param>
/// <param name="PartingRows">How many are.</param>
/// <param name="Error">The error at <paramref name="FirstRow"/>, or else the largest.</param>
/// <param name="LargestError">The largest error.</param>
/// <param name="LargestRow">Its position.</param>
/// <param name="Column">Where the two are farthest apart at <paramref name="FirstRow"/>, or else at <paramref name="LargestRow"/>.</param>
/// <param name="Ours">Our number there.</param>
/// <param name="Theirs">Their number there.</param>
public sealed record TensorComparison(
    string Name, int Rows, int? FirstRow, int PartingRows, double Error, double LargestError, int LargestRow, int Column, double Ours, double Theirs)
{
    internal static TensorComparison Of(TracedTensor ours, TracedTensor theirs, double tolerance)
    {
        if (ours.Rows != theirs.Rows || ours.Columns != theirs.Columns)
        {
            throw new InvalidRequestException(
                $"Tensor '{ours.Name}' has shape [{ours.Rows}, {ours.Columns}] in ours and [{theirs.Rows}, {theirs.Columns}] in theirs, " +
                "expected the same [positions, width]; trace the same tokens of the same model.");
        }

        double[] errors = Errors(ours, theirs);
        int first = Array.FindIndex(errors, error => !(error <= tolerance));
        int largest = 0;
        for (int row = 1; row < errors.Length; row++)
        {
            if (errors[row] > errors[largest] || double.IsNaN(errors[row]))
                largest = row;
        }

        int shown = first >= 0 ? first : largest;
        int column = Farthest(ours[shown], theirs[shown]);
        return new TensorComparison(
            ours.Name,
            ours.Rows,
            first >= 0 ? first : null,
            errors.Count(error => !(error <= tolerance)),
            errors[shown],
            errors[largest],
            largest,
            column,
            ours[shown][column],
            theirs[shown][column]);
    }

    private static double[] Errors(TracedTensor ours, TracedTensor theirs)
    {
        var differences = new double[ours.Rows];
        var sizes = new double[ours.Rows];
        for (int row = 0; row < ours.Rows; row++)
        {
            for (int column = 0; column < ours.Columns; column++)
            {
                double difference = ours[row][column] - theirs[row][column];
                differences[row] += difference * difference;
                sizes[row] += theirs[row][column] * theirs[row][column];
            }
        }

        double mean = sizes.Average();
        return
        [
            .. differences.Zip(sizes, (difference, size) => difference == 0 ? 0 : Math.Sqrt(difference / (size > 0 ? size : mean))),
        ];
    }

    private static int Farthest(ReadOnlySpan<double> ours, ReadOnlySpan<double> theirs)
    {
        int farthest = 0;
        for (int column = 0; column < ours.Length; column++)
        {
            double difference = Math.Abs(ours[column] - theirs[column]);
            if (double.IsNaN(difference))
                return column;
            if (difference > Math.Abs(ours[farthest] - theirs[farthest]))
                farthest = column;
        }

        return farthest;
    }
}
