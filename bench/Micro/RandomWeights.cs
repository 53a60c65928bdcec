using System.Buffers.Binary;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Bench.Micro;

/// <summary>Weights that look like a model's: normal numbers around zero, no infinities, no denormals.</summary>
internal static class RandomWeights
{
    private const int Seed = 1;

    /// <summary>Rows of <paramref name="type"/>, contiguous.</summary>
    internal static AlignedBuffer<byte> Of(ElementType type, int rows, int columns)
    {
        ElementFormat format = ElementFormat.Of(type);
        var weights = new AlignedBuffer<byte>(rows * format.RowBytes(columns));
        var random = new Random(Seed);
        Span<byte> bytes = weights.Span;
        random.NextBytes(bytes);
        for (int block = 0; block < bytes.Length; block += format.BlockBytes)
            Scale(type, bytes.Slice(block, format.BlockBytes), random);
        return weights;
    }

    /// <summary>Floats from -1 to 1.</summary>
    internal static void Fill(Span<float> values)
    {
        var random = new Random(Seed);
        foreach (ref float value in values)
            value = (random.NextSingle() * 2) - 1;
    }

    /// <summary>Random bits serve as quants; a block's scales, and plain floats, need a sensible size.</summary>
    private static void Scale(ElementType type, Span<byte> block, Random random)
    {
        float value = (random.NextSingle() - 0.5f) / 16;
        switch (type)
        {
            case ElementType.F32:
                BinaryPrimitives.WriteSingleLittleEndian(block, value);
                break;
            case ElementType.BF16:
                BinaryPrimitives.WriteUInt16LittleEndian(block, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
                break;
            case ElementType.Q6_K:
                BinaryPrimitives.WriteHalfLittleEndian(block[^2..], (Half)(value / 32));
                break;
            case ElementType.Q4_K:
                BinaryPrimitives.WriteHalfLittleEndian(block, (Half)(value / 32));
                BinaryPrimitives.WriteHalfLittleEndian(block[2..], (Half)(value / 32));
                break;
            case ElementType.F8_E4M3 or ElementType.F8_E5M2:
                block[0] &= 0xBF;
                break;
            case ElementType.F8_E4M3_B128:
                block.Replace((byte)0x7F, (byte)0);
                block.Replace((byte)0xFF, (byte)0);
                BinaryPrimitives.WriteSingleLittleEndian(block, value / 256);
                break;
            case ElementType.MXFP4:
                block[0] = 122;
                break;
            case ElementType.Q2_K:
                BinaryPrimitives.WriteHalfLittleEndian(block[^4..], (Half)(value / 16));
                BinaryPrimitives.WriteHalfLittleEndian(block[^2..], (Half)(value / 16));
                break;
            case ElementType.Q3_K:
                BinaryPrimitives.WriteHalfLittleEndian(block[^2..], (Half)(value / 32));
                break;
            case ElementType.Q5_K or ElementType.Q4_1 or ElementType.Q5_1:
                BinaryPrimitives.WriteHalfLittleEndian(block, (Half)(value / 32));
                BinaryPrimitives.WriteHalfLittleEndian(block[2..], (Half)(value / 32));
                break;
            case ElementType.F16 or ElementType.Q8_0 or ElementType.Q4_0 or ElementType.Q5_0 or ElementType.IQ4_NL or ElementType.IQ4_XS:
                BinaryPrimitives.WriteHalfLittleEndian(block, (Half)value);
                break;
            default:
                throw new NotSupportedException($"{type}: say where its scales are.");
        }
    }
}
