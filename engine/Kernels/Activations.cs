using Pure.Engine.Kernels.Packed;
using Pure.Engine.Memory;

namespace Pure.Engine.Kernels;

/// <summary>
/// Rows of activations <c>[rows, columns]</c> in the two forms that matrix products read: floats, and 8-bit blocks of 32
/// (see Quantization/Q8Activations). A view; <see cref="ActivationBuffer"/> owns the memory.
/// </summary>
internal readonly unsafe struct Activations
{
    internal const int BlockSize = 32;

    internal Activations(
        float* values, sbyte* quants, float* scales, int* sums, int rows, int columns, int stride, byte* panels = null)
    {
        Values = values;
        Quants = quants;
        Scales = scales;
        Sums = sums;
        Rows = rows;
        Columns = columns;
        Stride = stride;
        Panels = panels;
    }

    /// <summary>Floats <c>[rows, stride]</c>, of which the first <see cref="Columns"/> of each row count.</summary>
    internal float* Values { get; }

    /// <summary>8-bit quants <c>[rows, stride]</c>.</summary>
    internal sbyte* Quants { get; }

    /// <summary>Scale of each block <c>[rows, stride / 32]</c>.</summary>
    internal float* Scales { get; }

    /// <summary>Sum of each block's quants <c>[rows, stride / 32]</c>.</summary>
    internal int* Sums { get; }

    /// <summary>
    /// The 8-bit form once more, as the <see cref="Packed.Panel"/>s of all rows, one after the other; null for a part of a buffer.
    /// </summary>
    internal byte* Panels { get; }

    internal int Rows { get; }

    internal int Columns { get; }

    /// <summary>Elements from one row to the next.</summary>
    internal int Stride { get; }

    /// <summary>Float rows alone <c>[rows, columns]</c>, without room for an 8-bit form: logits.</summary>
    internal static Activations Floats(AlignedBuffer<float> values, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)rows * columns, values.Length, nameof(rows));
        return new(values.Pointer, null, null, null, rows, columns, columns);
    }

    /// <summary>The floats from the first row's first column to the last row's last.</summary>
    internal Span<float> All => new(Values, Rows == 0 ? 0 : checked(((Rows - 1) * Stride) + Columns));

    /// <summary>The floats of one row.</summary>
    internal Span<float> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new Span<float>(Values + ((long)row * Stride), Columns);
    }

    /// <summary>
    /// Columns <paramref name="first"/> … of every row, such as one head. For the 8-bit form <paramref name="first"/> must be a
    /// multiple of 32; otherwise only the floats of the slice are meaningful.
    /// </summary>
    internal Activations Columns32(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Stride, nameof(count));
        return new(Values + first, Quants + first, Scales + (first / BlockSize), Sums + (first / BlockSize), Rows, count, Stride);
    }

    /// <summary>
    /// Heads of one row as rows of their own, <c>[count, size]</c>: columns first · size … of row <paramref name="row"/>. Only the
    /// floats of the slice are meaningful.
    /// </summary>
    internal Activations Heads(int row, int first, int count, int size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((first + count) * (long)size, Columns, nameof(count));
        return new(Values + ((long)row * Stride) + ((long)first * size), null, null, null, count, size, size);
    }

    /// <summary>Rows <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1.</summary>
    internal Activations Slice(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Rows, nameof(count));
        long elements = (long)first * Stride;
        long blocks = elements / BlockSize;
        return new(Values + elements, Quants + elements, Scales + blocks, Sums + blocks, count, Columns, Stride);
    }

    /// <summary>The same with panels of these rows alone, in the room that the buffer has for them among all rows' panels.</summary>
    internal Activations Apart(int first, int count)
    {
        Activations rows = Slice(first, count);
        return new(
            rows.Values, rows.Quants, rows.Scales, rows.Sums, count, Columns, Stride, Panels + Packed.Panel.Bytes(Columns, first));
    }
}

/// <summary>Owns rows of activations; the row stride is padded to whole blocks of 32, and the padding stays zero.</summary>
internal sealed unsafe class ActivationBuffer : IDisposable
{
    private readonly AlignedBuffer<float> _values;
    private readonly AlignedBuffer<sbyte> _quants;
    private readonly AlignedBuffer<float> _scales;
    private readonly AlignedBuffer<int> _sums;
    private readonly AlignedBuffer<byte> _panels;

    internal ActivationBuffer(int rows, int columns)
    {
        Capacity = rows;
        Columns = columns;
        Stride = (columns + Activations.BlockSize - 1) / Activations.BlockSize * Activations.BlockSize;
        long elements = (long)rows * Stride;
        _values = new AlignedBuffer<float>(elements);
        _quants = new AlignedBuffer<sbyte>(elements);
        _scales = new AlignedBuffer<float>(elements / Activations.BlockSize);
        _sums = new AlignedBuffer<int>(elements / Activations.BlockSize);
        _panels = new AlignedBuffer<byte>(Panel.Bytes(Stride, rows));
    }

    internal int Capacity { get; }

    internal int Columns { get; }

    internal int Stride { get; }

    /// <summary>The first <paramref name="rows"/> rows.</summary>
    internal Activations Rows(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, Capacity);
        return new(_values.Pointer, _quants.Pointer, _scales.Pointer, _sums.Pointer, rows, Columns, Stride, _panels.Pointer);
    }

    public void Dispose()
    {
        _values.Dispose();
        _quants.Dispose();
        _scales.Dispose();
        _sums.Dispose();
        _panels.Dispose();
    }
}
