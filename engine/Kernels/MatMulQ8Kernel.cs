using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Kernels.Decoders;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>
/// Quantised weights × 8-bit activations: y[i, r] = weight row r · input row i. The dot product of two rows is defined by the
/// element type (<see cref="IQuantizedFormat.Dot"/>).
/// </summary>
internal static unsafe class MatMulQ8Kernel
{
    private const int HalfMinsAfterMins = 64;

    /// <summary>The definition: one dot product after the other.</summary>
    internal static void Scalar(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
    {
        switch (weights.Type)
        {
            case ElementType.Q8_0: Scalar<Q8_0>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q4_0: Scalar<Q4_0>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q4_1: Scalar<Q4_1>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q5_0: Scalar<Q5_0>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q5_1: Scalar<Q5_1>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.IQ4_NL: Scalar<IQ4_NL>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.MXFP4: Scalar<MXFP4>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q2_K: Scalar<Q2_K>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q3_K: Scalar<Q3_K>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q4_K: Scalar<Q4_K>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q5_K: Scalar<Q5_K>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q6_K: Scalar<Q6_K>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.IQ4_XS: Scalar<IQ4_XS>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            default: throw new ArgumentOutOfRangeException(nameof(weights), weights.Type, "There is no kernel for this element type.");
        }
    }

    internal static void Vector(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
    {
        switch (weights.Type)
        {
            case var _ when !Lanes256.IsSupported: Scalar(weights, rowBegin, rowEnd, x, inputs, y, yStride); break; // decoders need AVX2
            case ElementType.Q8_0: Vector<Q8_0Decoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q4_0: Vector<Q4_0Decoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q4_1: Vector<Q4_1Decoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q5_0: Vector<Q5_0Decoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q5_1: Vector<Q5_1Decoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.IQ4_NL: Vector<IQ4_NLDecoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.MXFP4: Vector<MXFP4Decoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q2_K: Vector<Q2_KDecoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q3_K: Vector<Q3_KDecoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q4_K: Vector<Q4_KDecoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q5_K: Vector<Q5_KDecoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q6_K: Vector<Q6_KDecoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.IQ4_XS: Vector<IQ4_XSDecoder>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            default: throw new ArgumentOutOfRangeException(nameof(weights), weights.Type, "There is no kernel for this element type.");
        }
    }

    private static void Scalar<TFormat>(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
        where TFormat : IQuantizedFormat
    {
        for (int row = rowBegin; row < rowEnd; row++)
        {
            byte* weightRow = weights.Data.Pointer + (row * weights.RowBytes);
            for (int i = 0; i < inputs.Count; i++)
            {
                long start = (long)inputs[i] * x.Stride;
                long block = start / Activations.BlockSize;
                y[((long)i * yStride) + row] =
                    TFormat.Dot(weightRow, x.Quants + start, x.Scales + block, x.Sums + block, weights.Columns);
            }
        }
    }

    /// <summary>
    /// Eight weight rows stand in the eight lanes, so the definition's order, block after block, costs one fused multiply-add for
    /// all of them. A group of up to eight sub-blocks of the rows is unpacked once into a tile that stays in the first cache:
    /// <code>
    /// codes      [8 sub-blocks, 8 rows, 32]  bytes
    /// halfScales [8 sub-blocks, 8 rows, 16]  int16; only types that have them
    /// scales     [8 sub-blocks, 8 rows]      float
    /// mins       [8 sub-blocks, 8 rows]      float; only types that have them
    /// halfMins   [8 sub-blocks, 2, 8 rows]   float; only types that have them
    /// sums       [inputs, 8 rows]            float: the accumulators between groups
    /// </code>
    /// and meets every input row; a single input row reads the rows as they lie. Where fewer than eight rows are left the last one fills up, and its copies are dropped.
    /// </summary>
    private static void Vector<TDecoder>(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
        where TDecoder : struct, IBlockDecoder
    {
        const int Rows = 8;
        const int Group = 8;
        const int CodeFloats = Group * Rows * 32 / sizeof(float);
        const int HalfScaleFloats = Group * Rows * 16 * sizeof(short) / sizeof(float);
        float* scratch = Scratch.Floats(CodeFloats + HalfScaleFloats + (4 * Group * Rows) + ((long)inputs.Count * Rows));
        var codes = (byte*)scratch;
        var halfScales = (short*)(scratch + CodeFloats);
        float* scales = scratch + CodeFloats + HalfScaleFloats;
        float* mins = scales + (Group * Rows);
        float* halfMins = mins + HalfMinsAfterMins;
        float* sums = halfMins + (2 * Group * Rows);

        byte** groups = stackalloc byte*[Rows];
        int blocks = weights.Columns / Activations.BlockSize;
        for (int row = rowBegin; row < rowEnd; row += Rows)
        {
            int rows = Math.Min(Rows, rowEnd - row);
            new Span<float>(sums, inputs.Count * Rows).Clear();
            for (int block = 0; block < blocks; block += Group)
            {
                int count = Math.Min(Group, blocks - block);
                for (int lane = 0; lane < Rows; lane++)
                {
                    groups[lane] = weights.Data.Pointer + ((row + Math.Min(lane, rows - 1)) * weights.RowBytes)
                        + (block / TDecoder.SubBlocks * TDecoder.BlockBytes);
                }

                TDecoder.Scales8(groups, count, scales, mins);
                if (TDecoder.HasHalfMins)
                    TDecoder.HalfMins8(groups, halfMins);
                if (inputs.Count > 1)
                    Unpack<TDecoder>(groups, count, codes, halfScales);
                for (int i = 0; i < inputs.Count; i++)
                {
                    long start = ((long)inputs[i] * x.Stride) + (block * Activations.BlockSize);
                    var group = new InputGroup(count, x.Quants + start, x.Scales + (start / Activations.BlockSize), x.Sums + (start / Activations.BlockSize));
                    if (inputs.Count > 1)
                        AddTile<TDecoder>(group, codes, halfScales, scales, mins, sums + (i * Rows));
                    else
                        AddStored<TDecoder>(group, groups, scales, mins, sums);
                }
            }

            for (int i = 0; i < inputs.Count; i++)
                new ReadOnlySpan<float>(sums + (i * Rows), rows).CopyTo(new Span<float>(y + ((long)i * yStride) + row, rows));
        }
    }

    private static void Unpack<TDecoder>(byte** groups, int count, byte* codes, short* halfScales)
        where TDecoder : struct, IBlockDecoder
    {
        for (int row = 0; row < 8; row++)
        {
            byte* group = groups[row];
            for (int s = 0; s < count; s++)
            {
                TDecoder.Codes(group, s).Store(codes + (((s * 8) + row) * 32));
                if (TDecoder.HasHalfScales)
                    TDecoder.HalfScales(group, s).Store(halfScales + (((s * 8) + row) * 16));
            }
        }
    }

    /// <summary>Adds a group of one input row to the eight accumulators, the weights from the tile.</summary>
    private static void AddTile<TDecoder>(
        in InputGroup x, byte* codes, short* halfScales, float* scales, float* mins, float* sums)
        where TDecoder : struct, IBlockDecoder
    {
        Vector256<float> acc = Vector256.Load(sums);
        for (int s = 0; s < x.Count; s++)
        {
            var source = new TileCodes<TDecoder>(codes + (s * 8 * 32), halfScales + (s * 8 * 16));
            acc = Add<TDecoder>(BlockSums.Dot(source, x.Quants + (s * Activations.BlockSize)), x, s, scales, mins, acc);
        }

        acc.Store(sums);
    }

    /// <summary>The same with the weights as stored: a single input row would not repay the tile.</summary>
    private static void AddStored<TDecoder>(in InputGroup x, byte** groups, float* scales, float* mins, float* sums)
        where TDecoder : struct, IBlockDecoder
    {
        Vector256<float> acc = Vector256.Load(sums);
        for (int s = 0; s < x.Count; s++)
        {
            var source = new StoredCodes<TDecoder>(groups, s);
            acc = Add<TDecoder>(BlockSums.Dot(source, x.Quants + (s * Activations.BlockSize)), x, s, scales, mins, acc);
        }

        acc.Store(sums);
    }

    /// <summary>The definition's step for one sub-block, in eight lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add<TDecoder>(
        Vector256<int> dots, in InputGroup x, int s, float* scales, float* mins, Vector256<float> acc)
        where TDecoder : struct, IBlockDecoder
    {
        if (TDecoder.Zero != 0)
            dots -= Vector256.Create(TDecoder.Zero * x.Sums[s]);
        Vector256<float> xScale = Vector256.Create(x.Scales[s]);
        acc = Fma.MultiplyAdd(Avx.ConvertToVector256Single(dots), Vector256.Load(scales + (s * 8)) * xScale, acc);
        if (TDecoder.HasMins)
        {
            Vector256<float> sums = TDecoder.HasHalfMins
                ? HalfSums(x, s, mins + HalfMinsAfterMins + (s * 16))
                : Vector256.Create((float)-x.Sums[s]);
            acc = Fma.MultiplyAdd(sums, Vector256.Load(mins + (s * 8)) * xScale, acc);
        }

        return acc;
    }

    /// <summary>−(lower factor · sum of the lower half + upper factor · sum of the upper): whole numbers below 2^24, so exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> HalfSums(in InputGroup x, int s, float* factors)
    {
        int lower = BlockSums.LowerHalf(x.Quants + (s * Activations.BlockSize));
        Vector256<float> upper = Vector256.Load(factors + 8) * Vector256.Create((float)(lower - x.Sums[s]));
        return Fma.MultiplyAdd(Vector256.Load(factors), Vector256.Create((float)-lower), upper);
    }

    /// <summary>A group of up to eight sub-blocks of one input row.</summary>
    private readonly struct InputGroup(int count, sbyte* quants, float* scales, int* sums)
    {
        internal readonly int Count = count;
        internal readonly sbyte* Quants = quants;
        internal readonly float* Scales = scales;
        internal readonly int* Sums = sums;
    }
}
