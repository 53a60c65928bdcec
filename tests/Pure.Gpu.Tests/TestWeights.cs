using System.Buffers.Binary;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Gpu.Tests;

/// <summary>Seeded weights of any type, as a file would hold them, and what they mean.</summary>
internal sealed class TestWeights : IDisposable
{
    private readonly AlignedBuffer<byte> _bytes;

    internal TestWeights(ElementType type, int rows, int columns, int seed)
    {
        ElementFormat format = ElementFormat.Of(type);
        int rowBytes = (int)format.RowBytes(columns);
        _bytes = new AlignedBuffer<byte>((long)rows * rowBytes);
        Values = new float[rows * columns];
        var random = new Random(seed);
        random.NextBytes(_bytes.Span);
        for (int block = 0; block < _bytes.Length / format.BlockBytes; block++)
            MakeUsual(type, _bytes.Span.Slice(block * format.BlockBytes, format.BlockBytes), random);
        Matrix = new WeightMatrix(type, _bytes.View, rows, columns);
        format.Dequantize(_bytes.View, Values);
    }

    internal WeightMatrix Matrix { get; }

    /// <summary>The weights as floats <c>[rows, columns]</c>.</summary>
    internal float[] Values { get; }

    public void Dispose() => _bytes.Dispose();

    /// <summary>Random bytes are random codes; the floats among them must be finite and of one size.</summary>
    private static void MakeUsual(ElementType type, Span<byte> block, Random random)
    {
        switch (type)
        {
            case ElementType.F32:
                BinaryPrimitives.WriteSingleLittleEndian(block, random.NextSingle() - 0.5f);
                break;
            case ElementType.F16:
                WriteHalf(block, random.NextSingle() - 0.5f);
                break;
            case ElementType.BF16:
                BinaryPrimitives.WriteUInt16LittleEndian(block, (ushort)(BitConverter.SingleToUInt32Bits(random.NextSingle() - 0.5f) >> 16));
                break;
            case ElementType.F8_E4M3 or ElementType.F8_E5M2:
                block[0] &= 0xBF;
                break;
            case ElementType.MXFP4:
                block[0] = (byte)(120 + random.Next(8));
                break;
            case ElementType.Q4_K or ElementType.Q5_K:
                WriteHalf(block, random.NextSingle() / 64);
                WriteHalf(block[2..], random.NextSingle() / 64);
                break;
            case ElementType.Q6_K:
                WriteHalf(block[208..], random.NextSingle() / 64);
                break;
            case ElementType.Q3_K:
                WriteHalf(block[108..], random.NextSingle() / 64);
                break;
            case ElementType.Q4_1 or ElementType.Q5_1:
                WriteHalf(block, random.NextSingle());
                WriteHalf(block[2..], random.NextSingle() - 0.5f);
                break;
            default:
                WriteHalf(block, random.NextSingle() + 0.1f);
                break;
        }
    }

    private static void WriteHalf(Span<byte> target, float value) => BinaryPrimitives.WriteHalfLittleEndian(target, (Half)value);
}
