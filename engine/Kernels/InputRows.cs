namespace Pure.Engine.Kernels;

/// <summary>Which rows of the activations a matrix product reads: those listed, or the first <see cref="Count"/>.</summary>
internal readonly unsafe struct InputRows(int* rows, int count)
{
    internal int Count { get; } = count;

    /// <summary>Whether the first rows are meant, in order.</summary>
    internal bool AreAll => rows == null;

    /// <summary>The row that is input <paramref name="i"/>.</summary>
    internal int this[int i] => rows == null ? i : rows[i];
}
