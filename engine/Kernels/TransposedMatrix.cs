using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>
/// The transpose <c>[rows, columns]</c> of a quantised matrix <c>[columns, rows]</c>, exact, at a byte per element: quantised blocks run
/// along its columns now, so that a factor belongs to some rows of one column. Sixteen rows at a time:
/// <code>
/// | columns × f32 scale | columns × f32 minimum, where the type has them | 16 rows of columns × int8 code |
/// </code>
/// An element is scale · code − minimum, each rounded apart, as the type's definition has it.
/// </summary>
internal sealed unsafe class TransposedMatrix
{
    /// <summary>Rows that share factors.</summary>
    internal const int GroupRows = 16;

    private TransposedMatrix(in WeightMatrix source, NativeView data)
    {
        Rows = source.Columns;
        Columns = source.Rows;
        HasMinimums = Minimums(source.Type);
        View = data;
    }

    internal int Rows { get; }

    internal int Columns { get; }

    internal bool HasMinimums { get; }

    /// <summary>Where it lies.</summary>
    internal NativeView View { get; }

    /// <summary>Bytes of the transpose; 0 where its type or size has no such form.</summary>
    internal static long Bytes(in WeightMatrix source)
    {
        bool suits = source.Type
            is ElementType.Q4_0 or ElementType.Q5_0 or ElementType.Q8_0 or ElementType.Q4_K or ElementType.Q5_K or ElementType.Q6_K;
        return suits && source.Rows % FloatDot.Lanes == 0 && source.Columns % GroupRows == 0
            ? source.Columns / GroupRows * BytesOfGroup(source.Rows, Minimums(source.Type))
            : 0;
    }

    /// <summary>Transposes into <paramref name="room"/> of <see cref="Bytes"/>.</summary>
    /// <returns>null where no code gives an element back: where it is no number, or far from all codes.</returns>
    internal static TransposedMatrix? TryMake(in WeightMatrix source, NativeView room)
    {
        var transposed = new TransposedMatrix(source, room);

        // Not a kernel's scratch: a model's buffers are counted while it is loaded, and a thread's scratch is new only once.
        fixed (float* elements = new float[source.Columns])
        {
            for (int column = 0; column < transposed.Columns; column++)
            {
                byte* stored = source.Data.Pointer + (column * source.RowBytes);
                DequantizeKernel.Scalar(source.Type, stored, elements, source.Columns);
                for (int group = 0; group < transposed.Rows / GroupRows; group++)
                {
                    (float scale, float minimum) = Factors(source.Type, stored, group);
                    if (!transposed.TryPut(group, column, elements + (group * GroupRows), scale, minimum))
                        return null;
                }
            }
        }

        return transposed;
    }

    /// <summary>One row as floats: the definition of its elements.</summary>
    internal void Row(int row, Span<float> elements)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        ArgumentOutOfRangeException.ThrowIfLessThan(elements.Length, Columns, nameof(elements));
        float* scales = Scales(row / GroupRows);
        float* minimums = scales + Columns;
        sbyte* codes = Codes(row);
        for (int column = 0; column < Columns; column++)
        {
            float product = scales[column] * codes[column];
            elements[column] = HasMinimums ? product - minimums[column] : product;
        }
    }

    /// <summary>The scales of a group of rows; its minima follow them, if there are any.</summary>
    internal float* Scales(int group) => (float*)(View.Pointer + (group * BytesOfGroup(Columns, HasMinimums)));

    internal sbyte* Codes(int row) => (sbyte*)Scales(row / GroupRows) + FactorBytes(Columns, HasMinimums) + (row % GroupRows * Columns);

    private bool TryPut(int group, int column, float* elements, float scale, float minimum)
    {
        float* scales = Scales(group);
        scales[column] = scale;
        if (HasMinimums)
            scales[Columns + column] = minimum;
        for (int i = 0; i < GroupRows; i++)
        {
            float code = scale == 0 ? 0 : MathF.Round((elements[i] + minimum) / scale);
            float element = (scale * code) - minimum;

            // The sign of a zero is lost, and no sum that begins at +0 can tell.
            if (code is not (>= sbyte.MinValue and <= sbyte.MaxValue) || element != elements[i])
                return false;
            Codes((group * GroupRows) + i)[column] = (sbyte)code;
        }

        return true;
    }

    /// <summary>Scale and minimum of a row's elements from 16 · <paramref name="group"/> on.</summary>
    private static (float Scale, float Minimum) Factors(ElementType type, byte* row, int group)
    {
        ElementFormat format = ElementFormat.Of(type);
        (int number, int part) = Math.DivRem(group, format.BlockSize / GroupRows);
        byte* block = row + ((long)number * format.BlockBytes);
        switch (type)
        {
            case ElementType.Q4_K or ElementType.Q5_K:
                (int scale, int minimum) = Q4_K.ScaleAndMin(block + Q4_K.ScalesAt, part / 2);
                return (F16.Widen(((ushort*)block)[0]) * scale, F16.Widen(((ushort*)block)[1]) * minimum);
            case ElementType.Q6_K:
                return (F16.Widen(*(ushort*)(block + Q6_K.DeltaAt)) * ((sbyte*)block)[Q6_K.ScalesAt + part], 0);
            default:
                return (F16.Widen(*(ushort*)block), 0);
        }
    }

    private static bool Minimums(ElementType type) => type is ElementType.Q4_K or ElementType.Q5_K;

    private static int FactorBytes(int columns, bool minimums) => (minimums ? 2 : 1) * columns * sizeof(float);

    private static long BytesOfGroup(int columns, bool minimums) => FactorBytes(columns, minimums) + (GroupRows * columns);
}
