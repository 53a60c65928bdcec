using System.Buffers.Binary;
using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>
/// 8-bit floats with a scale for each block of rows and columns (DeepSeek-V3, arXiv:2412.19437, section 3.3.2): <c>weight</c> as
/// F8_E4M3 <c>[rows, columns]</c> beside <c>weight_scale_inv</c> <c>[⌈rows / block⌉, ⌈columns / block⌉]</c>, blocks at the edges cut off.
/// </summary>
/// <remarks>
/// A weight is fp8 · scale, rounded to float32. Where blocks are 128 columns wide and the columns a multiple of that, each row gets
/// its own copy of its blocks' scales (<see cref="ElementType.F8_E4M3_B128"/>, 3 % more bytes); other matrices are widened to F32.
/// </remarks>
internal static class BlockScaledFloats
{
    internal static StoredMatrix Read(SafetensorsTensor weight, SafetensorsTensor scales, QuantizationConfig quantization, List<IDisposable> memory)
    {
        if (weight.Type != SafetensorsType.F8_E4M3 || weight.Shape.Count != 2 || weight.Shape.Contains(0))
        {
            throw new ModelFormatException(
                $"{weight.Place} is {weight.Type} of shape {weight.Sizes}, expected a matrix of F8_E4M3 beside its scales; download the folder again.");
        }

        (long blockRows, long blockColumns) = quantization.BlockSize;
        (long rows, long columns) = (weight.Shape[0], weight.Shape[1]);
        long across = ((columns - 1) / blockColumns) + 1;
        float[] scale = ScaleReader.Read(scales, ((rows - 1) / blockRows) + 1, across);
        bool fits = blockColumns == 128 && columns % 128 == 0;
        ElementType type = fits ? ElementType.F8_E4M3_B128 : ElementType.F32;
        int rowBytes = checked((int)ElementFormat.Of(type).RowBytes(columns));
        AlignedBuffer<byte> copy = Layouts.Own(new AlignedBuffer<byte>(rows * rowBytes), memory);
        for (long row = 0; row < rows; row++)
        {
            ReadOnlySpan<byte> from = weight.Data.AsSpan(row * columns, (int)columns);
            Span<byte> to = copy.Writable(row * rowBytes, rowBytes);
            ReadOnlySpan<float> rowScales = scale.AsSpan(checked((int)(row / blockRows * across)), (int)across);
            if (fits)
                Interleave(from, rowScales, to);
            else
                Widen(from, rowScales, (int)Math.Min(blockColumns, columns), to);
        }

        return new StoredMatrix(type, [rows, columns], [copy.View], weight.File);
    }

    private static void Interleave(ReadOnlySpan<byte> weights, ReadOnlySpan<float> scales, Span<byte> to)
    {
        const int Block = 128;
        foreach (float scale in scales)
        {
            BinaryPrimitives.WriteSingleLittleEndian(to, scale);
            weights[..Block].CopyTo(to[F8_E4M3_B128.QuantsAt..]);
            weights = weights[Block..];
            to = to[(F8_E4M3_B128.QuantsAt + Block)..];
        }
    }

    private static void Widen(ReadOnlySpan<byte> weights, ReadOnlySpan<float> scales, int block, Span<byte> to)
    {
        for (int column = 0; column < weights.Length; column++)
            BinaryPrimitives.WriteSingleLittleEndian(to[(column * sizeof(float))..], F8_E4M3.Widen(weights[column]) * scales[column / block]);
    }
}
