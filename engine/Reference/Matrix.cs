namespace Pure.Engine.Reference;

/// <summary>Rows of double-precision numbers <c>[rows, columns]</c>, zero at first.</summary>
internal sealed class Matrix(int rows, int columns)
{
    private readonly double[][] _rows = [.. Enumerable.Range(0, rows).Select(_ => new double[columns])];

    internal int Rows => rows;

    internal int Columns => columns;

    /// <summary>One row <c>[columns]</c>.</summary>
    internal Span<double> this[int row] => _rows[row];
}
