using System.Runtime.InteropServices;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Quantization;

namespace Pure.Serve.Benchmark;

/// <summary>
/// A model of seeded random weights. What it holds depends on shape, mix and seed alone, and not on the threads that make it; what it
/// says is nonsense, but every logit is finite and a mixture's tokens go to many experts.
/// </summary>
internal static class RandomModel
{
    private const int PieceBytes = 1 << 20;
    private const int PiecesAtOnce = 16;

    /// <summary>The model, ready to be written to a file or into memory.</summary>
    internal static GgufWriter Create(ModelShape shape, WeightMix mix, ulong seed)
    {
        GgufKeys keys = shape.Keys();
        PlainVocabulary.AddTo(keys, shape.Vocabulary);
        return new GgufWriter(keys, [.. shape.Tensors().Select(tensor => Content(tensor, mix.TypeOf(tensor, shape.Layers), seed))]);
    }

    private static GgufContent Content(ShapeTensor tensor, ElementType type, ulong seed)
    {
        ulong key = RandomBlocks.Key(seed, tensor.Name);
        return tensor.Role == TensorRole.Norm
            ? new GgufContent(tensor.Name, type, tensor.Sizes, output => WriteOnes(output, (int)tensor.Sizes[0]))
            : new GgufContent(tensor.Name, type, tensor.Sizes, output => Write(output, tensor, type, key));
    }

    private static void WriteOnes(Stream output, int count)
    {
        float[] ones = new float[count];
        Array.Fill(ones, 1f);
        output.Write(MemoryMarshal.AsBytes(ones.AsSpan()));
    }

    private static void Write(Stream output, ShapeTensor tensor, ElementType type, ulong key)
    {
        double deviation = tensor.Role == TensorRole.Embedding ? 1 : 1 / Math.Sqrt(tensor.Sizes[^1]);
        var blocks = new RandomBlocks(type, deviation);
        ElementFormat format = ElementFormat.Of(type);
        long bytes = format.RowBytes(tensor.Sizes[^1]) * tensor.Sizes.SkipLast(1).Aggregate(1L, (product, size) => product * size);
        int pieceBytes = PieceBytes / format.BlockBytes * format.BlockBytes;
        byte[] buffer = new byte[(int)Math.Min(bytes, (long)pieceBytes * PiecesAtOnce)];
        for (long at = 0; at < bytes; at += buffer.Length)
        {
            int size = (int)Math.Min(buffer.Length, bytes - at);
            long first = at / pieceBytes;
            Parallel.For(0, (size + pieceBytes - 1) / pieceBytes, piece =>
            {
                int begin = piece * pieceBytes;
                blocks.Fill(buffer.AsSpan(begin, Math.Min(pieceBytes, size - begin)), RandomBlocks.Key(key, first + piece));
            });
            output.Write(buffer, 0, size);
        }
    }
}
