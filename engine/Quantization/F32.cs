namespace Pure.Engine.Quantization;

/// <summary>32-bit IEEE float, as it is.</summary>
internal readonly unsafe struct F32 : IElementFormat
{
    public static ElementType Type => ElementType.F32;

    public static int BlockSize => 1;

    public static int BlockBytes => sizeof(float);

    /// <summary>Copies <paramref name="count"/> elements.</summary>
    public static void Quantize(float* source, byte* destination, long count) =>
        Buffer.MemoryCopy(source, destination, count * sizeof(float), count * sizeof(float));

    public static void Dequantize(byte* source, float* destination, long count) =>
        Buffer.MemoryCopy(source, destination, count * sizeof(float), count * sizeof(float));
}
