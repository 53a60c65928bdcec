using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels;

/// <summary>A transposed quantised matrix × float activations: y[i, r] = row r · input row i, as <see cref="MatMulFloatKernel"/> has it.</summary>
internal static unsafe class MatMulTransposedKernel
{
    private const int Rows = 4;

    /// <summary>The definition: a row as floats, then <see cref="FloatDot"/> with each input row.</summary>
    internal static void Scalar(TransposedMatrix weights, in Activations x, float* y, int yStride)
    {
        float* row = Scratch.Floats(weights.Columns);
        for (int r = 0; r < weights.Rows; r++)
        {
            weights.Row(r, new Span<float>(row, weights.Columns));
            for (int i = 0; i < x.Rows; i++)
                y[((long)i * yStride) + r] = FloatDot.Scalar(row, x.Values + ((long)i * x.Stride), weights.Columns);
        }
    }

    internal static void Vector<TLanes>(TransposedMatrix weights, in Activations x, float* y, int yStride)
        where TLanes : struct, ILanes<TLanes>
    {
        if (x.Rows > 1)
            Widened<TLanes>(weights, x, y, yStride);
        else if (weights.HasMinimums)
            AsStored<TLanes>(weights, x.Values, y, hasMinimums: true);
        else
            AsStored<TLanes>(weights, x.Values, y, hasMinimums: false);
    }

    private static void Widen<TLanes>(TransposedMatrix weights, int row, float* elements)
        where TLanes : struct, ILanes<TLanes>
    {
        sbyte* codes = weights.Codes(row);
        float* scales = weights.Scales(row / TransposedMatrix.GroupRows);
        for (int i = 0; i < weights.Columns; i += FloatDot.Lanes)
        {
            TLanes product = TLanes.LoadSignedBytes(codes + i) * TLanes.Load(scales + i);
            TLanes.Store(weights.HasMinimums ? product - TLanes.Load(scales + weights.Columns + i) : product, elements + i);
        }
    }

    /// <summary>One input: four rows at a time, made floats in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AsStored<TLanes>(TransposedMatrix weights, float* x, float* y, bool hasMinimums)
        where TLanes : struct, ILanes<TLanes>
    {
        for (int row = 0; row < weights.Rows; row += Rows)
        {
            sbyte* codes = weights.Codes(row);
            float* scales = weights.Scales(row / TransposedMatrix.GroupRows);
            FourSums<TLanes> sums = default;
            int columns = weights.Columns;
            for (int i = 0; i < columns; i += FloatDot.Lanes)
            {
                TLanes scale = TLanes.Load(scales + i);
                TLanes row0 = TLanes.LoadSignedBytes(codes + i) * scale;
                TLanes row1 = TLanes.LoadSignedBytes(codes + columns + i) * scale;
                TLanes row2 = TLanes.LoadSignedBytes(codes + (2 * columns) + i) * scale;
                TLanes row3 = TLanes.LoadSignedBytes(codes + (3 * columns) + i) * scale;
                if (hasMinimums)
                {
                    TLanes minimum = TLanes.Load(scales + columns + i);
                    row0 -= minimum;
                    row1 -= minimum;
                    row2 -= minimum;
                    row3 -= minimum;
                }

                sums.Add(row0, row1, row2, row3, TLanes.Load(x + i));
            }

            sums.Tree().Store(y + row);
        }
    }

    /// <summary>Several inputs: four rows at a time, made floats once and then met by every input.</summary>
    private static void Widened<TLanes>(TransposedMatrix weights, in Activations x, float* y, int yStride)
        where TLanes : struct, ILanes<TLanes>
    {
        float* rows = Scratch.Floats(((long)Rows * weights.Columns) + ((long)x.Rows * FourSums<TLanes>.Floats));
        for (int row = 0; row < weights.Rows; row += Rows)
        {
            for (int r = 0; r < Rows; r++)
                Widen<TLanes>(weights, row + r, rows + (r * weights.Columns));
            MatMulFloatKernel.Tile<TLanes, SingleElement>(
                (byte*)rows,
                (byte*)(rows + weights.Columns),
                (byte*)(rows + (2 * weights.Columns)),
                (byte*)(rows + (3 * weights.Columns)),
                Rows,
                x,
                new InputRows(null, x.Rows),
                y + row,
                yStride,
                rows + (Rows * weights.Columns));
        }
    }
}
