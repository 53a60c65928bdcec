using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Bench.Micro;

/// <summary>Weights and activations without infinities or denormals, which some processors are slow at.</summary>
internal static class RandomWeights
{
    private const int Seed = 1;

    /// <summary>
    /// Rows of <paramref name="type"/>, contiguous. Bytes from 0x20 to 0x2f make small normal numbers of every float and scale there is,
    /// wherever it stands in a block.
    /// </summary>
    internal static AlignedBuffer<byte> Of(ElementType type, int rows, int columns)
    {
        var weights = new AlignedBuffer<byte>(rows * ElementFormat.Of(type).RowBytes(columns));
        var random = new Random(Seed);
        foreach (ref byte value in weights.Span)
            value = (byte)random.Next(0x20, 0x30);
        return weights;
    }

    /// <summary>Floats from -1 to 1.</summary>
    internal static void Fill(Span<float> values)
    {
        var random = new Random(Seed);
        foreach (ref float value in values)
            value = (random.NextSingle() * 2) - 1;
    }
}
