namespace Pure.Engine.Quantization;

/// <summary>
/// 32 codes of four bits that name sixteen values, in 16 bytes: byte j holds element j in its low half and element j + 16 in its high.
/// </summary>
internal static unsafe class NamedValues
{
    private const int Half = 16;

    /// <summary>x = scale · value[q], 32 elements.</summary>
    internal static void Dequantize(byte* q, ReadOnlySpan<sbyte> values, float scale, float* destination)
    {
        for (int j = 0; j < Half; j++)
        {
            destination[j] = scale * values[q[j] & 0xF];
            destination[j + Half] = scale * values[q[j] >> 4];
        }
    }

    /// <summary>The sum of value[q] · quant, 32 elements.</summary>
    internal static int Sum(byte* q, ReadOnlySpan<sbyte> values, sbyte* quants)
    {
        int isum = 0;
        for (int j = 0; j < Half; j++)
            isum += (values[q[j] & 0xF] * quants[j]) + (values[q[j] >> 4] * quants[j + Half]);
        return isum;
    }
}
