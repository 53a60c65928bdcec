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
            case ElementType.Q8_0: Q8_0.Dequantize(row, y, columns); break;
            case ElementType.Q4_0: Q4_0.Dequantize(row, y, columns); break;
            case ElementType.Q4_K: Q4_K.Dequantize(row, y, columns); break;
            case ElementType.Q6_K: Q6_K.Dequantize(row, y, columns); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "There is no kernel for this element type.");
        }
    }
}
