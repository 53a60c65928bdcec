namespace Pure.Engine.Quantization;

/// <summary>
/// 128 floats of 8 bits with a float32 as scale: <c>x = e4m3(q) · d</c>. No file holds it: it is how the 128 × 128 blocks of
/// DeepSeek-V3 (<c>weight</c> as F8_E4M3 beside <c>weight_scale_inv</c>) stand in memory, each row with its own copy of the scale.
/// <code>
/// byte   0       4                                132
///        | d f32 | 128 × F8_E4M3                 |
/// </code>
/// </summary>
internal readonly unsafe struct F8_E4M3_B128 : IElementFormat
{
    internal const int QuantsAt = sizeof(float);

    public static ElementType Type => ElementType.F8_E4M3_B128;

    public static int BlockSize => 128;

    public static int BlockBytes => QuantsAt + BlockSize;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = *(float*)source;
            for (int i = 0; i < BlockSize; i++)
                destination[start + i] = F8_E4M3.Widen(source[QuantsAt + i]) * d;
        }
    }
}
