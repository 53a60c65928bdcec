using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Kernels.Decoders;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>A weight row as floats; the definitions are those of the element types (Quantization/).</summary>
internal static unsafe class DequantizeKernel
{
    internal static void Scalar(ElementType type, byte* row, float* y, int columns)
    {
        switch (type)
        {
            case ElementType.F32: F32.Dequantize(row, y, columns); break;
            case ElementType.F16: F16.Dequantize(row, y, columns); break;
            case ElementType.BF16: BF16.Dequantize(row, y, columns); break;
            case ElementType.F8_E4M3: F8_E4M3.Dequantize(row, y, columns); break;
            case ElementType.F8_E5M2: F8_E5M2.Dequantize(row, y, columns); break;
            case ElementType.F8_E4M3_B128: F8_E4M3_B128.Dequantize(row, y, columns); break;
            case ElementType.Q8_0: Q8_0.Dequantize(row, y, columns); break;
            case ElementType.Q4_0: Q4_0.Dequantize(row, y, columns); break;
            case ElementType.Q4_1: Q4_1.Dequantize(row, y, columns); break;
            case ElementType.Q5_0: Q5_0.Dequantize(row, y, columns); break;
            case ElementType.Q5_1: Q5_1.Dequantize(row, y, columns); break;
            case ElementType.IQ4_NL: IQ4_NL.Dequantize(row, y, columns); break;
            case ElementType.MXFP4: MXFP4.Dequantize(row, y, columns); break;
            case ElementType.Q2_K: Q2_K.Dequantize(row, y, columns); break;
            case ElementType.Q3_K: Q3_K.Dequantize(row, y, columns); break;
            case ElementType.Q4_K: Q4_K.Dequantize(row, y, columns); break;
            case ElementType.Q5_K: Q5_K.Dequantize(row, y, columns); break;
            case ElementType.Q6_K: Q6_K.Dequantize(row, y, columns); break;
            case ElementType.IQ4_XS: IQ4_XS.Dequantize(row, y, columns); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "There is no kernel for this element type.");
        }
    }

    internal static void Vector<TLanes>(ElementType type, byte* row, float* y, int columns)
        where TLanes : struct, ILanes<TLanes>
    {
        switch (type)
        {
            case ElementType.F16: Widen<TLanes, HalfElement>(row, y, columns); break;
            case ElementType.BF16: Widen<TLanes, BrainElement>(row, y, columns); break;
            case ElementType.F8_E4M3: Widen<TLanes, E4M3Element>(row, y, columns); break;
            case ElementType.F8_E5M2: Widen<TLanes, E5M2Element>(row, y, columns); break;
            case ElementType.F8_E4M3_B128: WidenScaled<TLanes>(row, y, columns); break;
            case var _ when !Lanes256.IsSupported: Scalar(type, row, y, columns); break; // blocks are decoded with AVX2
            case ElementType.Q8_0: Blocks<Q8_0Decoder>(row, y, columns); break;
            case ElementType.Q4_0: Blocks<Q4_0Decoder>(row, y, columns); break;
            case ElementType.Q4_1: Blocks<Q4_1Decoder>(row, y, columns); break;
            case ElementType.Q5_0: Blocks<Q5_0Decoder>(row, y, columns); break;
            case ElementType.Q5_1: Blocks<Q5_1Decoder>(row, y, columns); break;
            case ElementType.IQ4_NL: Blocks<IQ4_NLDecoder>(row, y, columns); break;
            case ElementType.MXFP4: Blocks<MXFP4Decoder>(row, y, columns); break;
            case ElementType.Q2_K: Blocks<Q2_KDecoder>(row, y, columns); break;
            case ElementType.Q3_K: Blocks<Q3_KDecoder>(row, y, columns); break;
            case ElementType.Q4_K: Blocks<Q4_KDecoder>(row, y, columns); break;
            case ElementType.Q5_K: Blocks<Q5_KDecoder>(row, y, columns); break;
            case ElementType.Q6_K: Blocks<Q6_KDecoder>(row, y, columns); break;
            case ElementType.IQ4_XS: Blocks<IQ4_XSDecoder>(row, y, columns); break;
            default: Scalar(type, row, y, columns); break;
        }
    }

    private static void Widen<TLanes, TElement>(byte* source, float* target, int count)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
            TLanes.Store(TElement.Load<TLanes>(source + ((nint)i * TElement.Bytes)), target + i);
        for (; i < count; i++)
            target[i] = TElement.LoadOne(source + ((nint)i * TElement.Bytes));
    }

    private static void WidenScaled<TLanes>(byte* row, float* y, int columns)
        where TLanes : struct, ILanes<TLanes>
    {
        float* end = y + columns;
        for (; y < end; row += F8_E4M3_B128.BlockBytes)
        {
            TLanes scale = TLanes.Broadcast(*(float*)row);
            byte* q = row + F8_E4M3_B128.QuantsAt;
            for (int i = 0; i < F8_E4M3_B128.BlockSize; i += FloatDot.Lanes, y += FloatDot.Lanes)
                TLanes.Store(E4M3Element.Load<TLanes>(q + i) * scale, y);
        }
    }

    private static void Blocks<TDecoder>(byte* row, float* y, int columns)
        where TDecoder : struct, IBlockDecoder
    {
        const int Group = 8;
        float* scales = stackalloc float[Group];
        float* mins = stackalloc float[Group];
        int blocks = columns / Activations.BlockSize;
        for (int block = 0; block < blocks; block += Group)
        {
            int count = Math.Min(Group, blocks - block);
            TDecoder.Scales(row, count, scales, mins);
            for (int s = 0; s < count; s++, y += Activations.BlockSize)
            {
                Vector256<byte> codes = TDecoder.Codes(row, s);
                float lower = scales[s];
                float upper = scales[s];
                if (TDecoder.HasHalfScales)
                {
                    Vector256<short> halfScales = TDecoder.HalfScales(row, s);
                    lower *= halfScales.ToScalar();
                    upper *= halfScales.GetElement(8);
                }

                float lowerMin = TDecoder.HasMins ? mins[s] : 0;
                float upperMin = lowerMin;
                if (TDecoder.HasHalfMins)
                {
                    (int lowerFactor, int upperFactor) = TDecoder.HalfMins(row, s);
                    lowerMin *= lowerFactor;
                    upperMin *= upperFactor;
                }

                Sixteen<TDecoder>(codes.GetLower(), lower, lowerMin, y);
                Sixteen<TDecoder>(codes.GetUpper(), upper, upperMin, y + 16);
            }

            row += Group / TDecoder.SubBlocks * TDecoder.BlockBytes;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sixteen<TDecoder>(Vector128<byte> codes, float scale, float min, float* y)
        where TDecoder : struct, IBlockDecoder
    {
        Eight<TDecoder>(codes, scale, min, y);
        Eight<TDecoder>(Sse2.ShiftRightLogical128BitLane(codes, 8), scale, min, y + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eight<TDecoder>(Vector128<byte> codes, float scale, float min, float* y)
        where TDecoder : struct, IBlockDecoder
    {
        Vector256<int> values = TDecoder.IsSigned
            ? Avx2.ConvertToVector256Int32(codes.AsSByte())
            : Avx2.ConvertToVector256Int32(codes);
        if (TDecoder.Zero != 0)
            values -= Vector256.Create(TDecoder.Zero);
        Vector256<float> product = Avx.ConvertToVector256Single(values) * Vector256.Create(scale);
        if (TDecoder.HasMins)
            product -= Vector256.Create(min);
        product.Store(y);
    }
}
