using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Pure.Engine.Formats;
using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>
/// Tells whether two runs give the same bits: a hash of the tensor table, of samples of every tensor, of the options that change bits, and
/// of the logits of a few probing tokens, which depend on the metadata and on every definition of the arithmetic besides.
/// </summary>
internal static class ModelFingerprint
{
    private const int SampleBytes = 256;
    private const int ProbeTokens = 8;

    /// <summary>32 bytes. Costs a short forward pass; the caller holds the gate.</summary>
    internal static byte[] Of(Model model)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add($"{model.Info.Architecture} {model.Options.Activations} {model.Options.Mla} {model.Options.CacheType} {model.CacheShape.Layers} {model.CacheShape.Columns}");
        Span<byte> sample = stackalloc byte[SampleBytes];
        foreach (Tensor tensor in model.File.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            Add($"{tensor.Name} {tensor.Type} {string.Join('x', tensor.Shape)}");
            foreach (NativeView part in (NativeView[])[tensor.Parts[0], tensor.Parts[^1]])
            {
                Span<byte> bytes = sample[..(int)Math.Min(SampleBytes, part.Length)];
                foreach (long offset in (long[])[0, (part.Length - bytes.Length) / 2, part.Length - bytes.Length])
                {
                    part.Read(offset, bytes);
                    hash.AppendData(bytes);
                }
            }
        }

        AddProbe(hash, model);
        return hash.GetHashAndReset();

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
    }

    private static void AddProbe(IncrementalHash hash, Model model)
    {
        int count = Math.Min(ProbeTokens, model.Info.ContextLength);
        using KvCache cache = model.CreateCache(count);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(1);
        for (int index = 0; index < count; index++)
        {
            batch.Clear();
            batch.Add(sequence, (int)((long)index * (model.Info.VocabularySize - 1) / ProbeTokens), wantsLogits: true);
            hash.AppendData(MemoryMarshal.AsBytes(model.Forward(batch)[0]));
        }
    }
}
