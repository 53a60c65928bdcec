namespace Pure.Engine.Reference;

/// <summary>softmax(q·kᵀ · scale)·v with a causal mask (Vaswani et al. 2017, arXiv:1706.03762, equation 1).</summary>
internal static class DotProductAttention
{
    /// <summary>Mixes one head's values for every position, into columns of <paramref name="mixed"/>.</summary>
    /// <param name="queries"><c>[positions, …]</c>, of which <paramref name="queryColumns"/> are the head's.</param>
    /// <param name="queryColumns">The head's columns.</param>
    /// <param name="keys"><c>[positions, …]</c>.</param>
    /// <param name="keyColumns">The head's columns.</param>
    /// <param name="values"><c>[positions, …]</c>.</param>
    /// <param name="valueColumns">The head's columns.</param>
    /// <param name="mixed">Result <c>[positions, …]</c>.</param>
    /// <param name="mixedColumn">The head's first column there.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="window">Positions that a query sees, its own included; 0 for all.</param>
    /// <param name="sink">A score without a position, or null.</param>
    internal static void Attend(
        Matrix queries,
        Range queryColumns,
        Matrix keys,
        Range keyColumns,
        Matrix values,
        Range valueColumns,
        Matrix mixed,
        int mixedColumn,
        double scale,
        int window = 0,
        double? sink = null)
    {
        var scores = new double[queries.Rows];
        for (int position = 0; position < queries.Rows; position++)
        {
            int first = window == 0 ? 0 : Math.Max(0, position + 1 - window);
            Span<double> visible = scores.AsSpan(0, position + 1 - first);
            for (int index = 0; index < visible.Length; index++)
                visible[index] = Dot(queries[position][queryColumns], keys[first + index][keyColumns]) * scale;
            Softmax.InPlace(visible, sink);
            for (int index = 0; index < visible.Length; index++)
            {
                ReadOnlySpan<double> value = values[first + index][valueColumns];
                for (int column = 0; column < value.Length; column++)
                    mixed[position][mixedColumn + column] += visible[index] * value[column];
            }
        }
    }

    private static double Dot(ReadOnlySpan<double> q, ReadOnlySpan<double> k)
    {
        double sum = 0;
        for (int column = 0; column < q.Length; column++)
            sum += q[column] * k[column];
        return sum;
    }
}
