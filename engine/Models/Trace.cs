using Pure.Engine.Kernels;

namespace Pure.Engine.Models;

/// <summary>
/// Every named intermediate of a forward pass, kept in double precision, which holds floats exactly. Rows of later batches follow
/// those of earlier ones: for whole positions, trace one sequence whose rows all want their logits.
/// </summary>
public sealed class Trace
{
    private readonly List<TracedTensor> _tensors = [];
    private readonly Dictionary<string, TracedTensor> _byName = [];

    /// <summary>What was traced, in the order in which it first arose.</summary>
    public IReadOnlyList<TracedTensor> Tensors => _tensors;

    /// <summary>The tensor called <paramref name="name"/>, such as <c>blk.0.attn_out</c>.</summary>
    /// <exception cref="KeyNotFoundException">The model has no such intermediate.</exception>
    public TracedTensor this[string name] => _byName[name];

    /// <summary>Appends a position's numbers to the tensor called <paramref name="name"/>.</summary>
    /// <exception cref="ArgumentException">Earlier positions have another number of numbers.</exception>
    public void Add(string name, ReadOnlySpan<double> row)
    {
        ArgumentNullException.ThrowIfNull(name);
        TracedTensor tensor = Find(name, row.Length);
        if (row.Length != tensor.Columns)
            throw new ArgumentException($"{row.Length} numbers do not continue '{name}', whose positions have {tensor.Columns}.", nameof(row));
        tensor.Add(row);
    }

    internal void Add(string name, in Activations rows)
    {
        TracedTensor tensor = Find(name, rows.Columns);
        for (int row = 0; row < rows.Rows; row++)
            tensor.Add(rows.Row(row));
    }

    private TracedTensor Find(string name, int columns)
    {
        if (!_byName.TryGetValue(name, out TracedTensor? tensor))
        {
            tensor = new TracedTensor(name, columns);
            _byName.Add(name, tensor);
            _tensors.Add(tensor);
        }

        return tensor;
    }
}

/// <summary>One intermediate, <c>[rows, columns]</c>.</summary>
public sealed class TracedTensor
{
    private readonly List<double[]> _rows = [];

    internal TracedTensor(string name, int columns)
    {
        Name = name;
        Columns = columns;
    }

    /// <summary>Its name, such as <c>blk.0.attn_out</c>.</summary>
    public string Name { get; }

    /// <summary>Numbers per position.</summary>
    public int Columns { get; }

    /// <summary>Positions.</summary>
    public int Rows => _rows.Count;

    /// <summary>One position's numbers <c>[columns]</c>.</summary>
    public ReadOnlySpan<double> this[int row] => _rows[row];

    internal void Add(ReadOnlySpan<double> row) => _rows.Add(row.ToArray());

    internal void Add(ReadOnlySpan<float> row)
    {
        var wide = new double[row.Length];
        for (int column = 0; column < wide.Length; column++)
            wide[column] = row[column];
        _rows.Add(wide);
    }
}
