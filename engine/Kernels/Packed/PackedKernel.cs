using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels.Packed;

/// <summary>Sixteen packed rows × a panel of columns, over all blocks, with AVX2: eight rows and four columns at a time.</summary>
internal static unsafe class PackedKernel
{
    /// <param name="weights">A group of a <see cref="PackedMatrix"/>.</param>
    /// <param name="panel">A <see cref="Panel"/>.</param>
    /// <param name="width">Its columns.</param>
    /// <param name="blocks">Blocks of a row, as the type stores them.</param>
    /// <param name="sums">The products <c>[width, 16]</c>.</param>
    internal static void Run<TFormat>(byte* weights, byte* panel, int width, int blocks, float* sums)
        where TFormat : struct, IPackedFormat
    {
        if (width == 1)
        {
            One<TFormat>(weights, panel, blocks, 0, sums);
            One<TFormat>(weights, panel, blocks, 1, sums + 8);
            return;
        }

        new Span<float>(sums, width * PackedMatrix.GroupRows).Clear();
        for (int block = 0; block < blocks; block++)
        {
            byte* unit = weights + TFormat.HeaderBytes;
            for (int s = 0; s < TFormat.Units; s++)
            {
                var x = new PanelBlock(panel, width);
                Unit<TFormat>(weights, unit, 0, x, width, sums);
                Unit<TFormat>(weights, unit, 1, x, width, sums + 8);
                unit += TFormat.UnitBytes;
                panel += Panel.ColumnBytes * width;
            }

            weights = unit;
        }
    }

    private static void Unit<TFormat>(byte* header, byte* unit, int half, in PanelBlock x, int width, float* sums)
        where TFormat : struct, IPackedFormat
    {
        Vector256<float> scales = TFormat.Scales(header, unit, half);
        Vector256<float> mins = TFormat.Mins(header, unit, half);
        int column = 0;
        for (; column <= width - 4; column += 4)
        {
            FourColumns dots = TFormat.Dot4(unit, half, x, column);
            float* target = sums + (column * PackedMatrix.GroupRows);
            Add<TFormat>(dots.First, unit, half, scales, mins, x, column, Vector256.Load(target)).Store(target);
            Add<TFormat>(dots.Second, unit, half, scales, mins, x, column + 1, Vector256.Load(target + 16)).Store(target + 16);
            Add<TFormat>(dots.Third, unit, half, scales, mins, x, column + 2, Vector256.Load(target + 32)).Store(target + 32);
            Add<TFormat>(dots.Fourth, unit, half, scales, mins, x, column + 3, Vector256.Load(target + 48)).Store(target + 48);
        }

        for (; column < width; column++)
        {
            float* target = sums + (column * PackedMatrix.GroupRows);
            Add<TFormat>(TFormat.Dot(unit, half, x, column), unit, half, scales, mins, x, column, Vector256.Load(target))
                .Store(target);
        }
    }

    private static void One<TFormat>(byte* weights, byte* panel, int blocks, int half, float* sums)
        where TFormat : struct, IPackedFormat
    {
        Vector256<float> acc = default;
        for (int block = 0; block < blocks; block++)
        {
            byte* unit = weights + TFormat.HeaderBytes;
            for (int s = 0; s < TFormat.Units; s++)
            {
                var x = new PanelBlock(panel, 1);
                Vector256<float> scales = TFormat.Scales(weights, unit, half);
                Vector256<float> mins = TFormat.Mins(weights, unit, half);
                acc = Add<TFormat>(TFormat.Dot(unit, half, x, 0), unit, half, scales, mins, x, 0, acc);
                unit += TFormat.UnitBytes;
                panel += Panel.ColumnBytes;
            }

            weights = unit;
        }

        acc.Store(sums);
    }

    /// <summary>The definition's step for one sub-block, in eight lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add<TFormat>(
        Vector256<int> dots,
        byte* unit,
        int half,
        Vector256<float> scales,
        Vector256<float> mins,
        in PanelBlock x,
        int column,
        Vector256<float> acc)
        where TFormat : struct, IPackedFormat
    {
        Vector256<float> scale = x.Scale(column);
        acc = Fma.MultiplyAdd(Avx.ConvertToVector256Single(dots), scales * scale, acc);
        return TFormat.HasMins
            ? Fma.MultiplyAdd(Avx.ConvertToVector256Single(TFormat.MinusSums(unit, half, x, column)), mins * scale, acc)
            : acc;
    }
}
