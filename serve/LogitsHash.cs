using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Pure.Serve;

/// <summary>SHA-256 over the logits of every sampled position, as little-endian 32-bit floats: equal hashes mean equal bits.</summary>
internal sealed class LogitsHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Adds one position's logits, <c>[vocabulary]</c>.</summary>
    internal void Add(int position, ReadOnlySpan<float> logits) => _hash.AppendData(MemoryMarshal.AsBytes(logits));

    /// <summary>The hash so far, in lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();
}
