using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>
/// MXFP4 as gpt-oss stores it: blocks u8 <c>[…, rows, columns / 32, 16]</c>, element 2j in the low nibble of byte j and 2j + 1 in the
/// high one, and scales u8 <c>[…, rows, columns / 32]</c>; made into <see cref="ElementType.MXFP4"/> without loss.
/// </summary>
internal static class MicroscaledFloats
{
    private const int BlockBytes = 17;
    private const int QuantBytes = 16;

    internal static StoredMatrix Read(SafetensorsTensor blocks, SafetensorsTensor scales, List<IDisposable> memory)
    {
        if (blocks.Type != SafetensorsType.U8 || scales.Type != SafetensorsType.U8 || blocks.Shape.Count < 3 || blocks.Shape.Contains(0)
            || blocks.Shape[^1] != QuantBytes || !blocks.Shape.SkipLast(1).SequenceEqual(scales.Shape))
        {
            throw new ModelFormatException(
                $"{blocks.Place} is {blocks.Type} of shape {blocks.Sizes} and its scales {scales.Type} of shape {scales.Sizes}, expected U8 with blocks of " +
                "16 bytes for each scale; the folder is damaged: download it again.");
        }

        AlignedBuffer<byte> copy = Layouts.Own(new AlignedBuffer<byte>(scales.Data.Length * BlockBytes), memory);
        for (long block = 0; block < scales.Data.Length; block++)
        {
            ReadOnlySpan<byte> from = blocks.Data.AsSpan(block * QuantBytes, QuantBytes);
            Span<byte> to = copy.Writable(block * BlockBytes, BlockBytes);
            to[0] = scales.Data.AsSpan(block, 1)[0];
            for (int j = 0; j < QuantBytes; j++)
            {
                // Elements j and j + 16 share a byte in the model's form.
                int low = from[j / 2] >> (j % 2 * 4);
                int high = from[(j / 2) + (QuantBytes / 2)] >> (j % 2 * 4);
                to[1 + j] = (byte)((low & 0xF) | ((high & 0xF) << 4));
            }
        }

        return new StoredMatrix(ElementType.MXFP4, [.. blocks.Shape.SkipLast(2), blocks.Shape[^2] * 2 * QuantBytes], [copy.View], blocks.File);
    }
}
