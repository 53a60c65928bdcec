using System.Buffers.Binary;
using System.Security.Cryptography;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// Tokens with their keys and values as bytes, so that a later process need not read them again. All numbers are little-endian:
/// <code>
/// "PUREKV02" | fingerprint [32] | layers u32 | row bytes u32 | tokens u32 | ids i32 [tokens]
/// of each layer, of each block of 64 tokens, of each part (<see cref="KvCache"/>), its rows as the cache stores them | SHA-256 of all before [32]
/// </code>
/// </summary>
internal static class PromptCache
{
    private const int HeaderBytes = 8 + SHA256.HashSizeInBytes + (3 * sizeof(uint));
    private const int MostTokens = 1 << 24;

    private static ReadOnlySpan<byte> Magic => "PUREKV02"u8;

    /// <summary>Writes the first positions of a sequence, as many as there are tokens.</summary>
    internal static void Write(Stream stream, byte[] fingerprint, ReadOnlySpan<int> tokens, Sequence sequence)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        KvCache cache = sequence.Cache;
        Span<byte> header = stackalloc byte[HeaderBytes];
        Magic.CopyTo(header);
        fingerprint.CopyTo(header[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(header[^12..], cache.Shape.Layers);
        BinaryPrimitives.WriteInt32LittleEndian(header[^8..], cache.RowBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[^4..], tokens.Length);
        Put(header);
        Span<byte> id = stackalloc byte[sizeof(int)];
        foreach (int token in tokens)
        {
            BinaryPrimitives.WriteInt32LittleEndian(id, token);
            Put(id);
        }

        for (int layer = 0; layer < cache.Shape.Layers; layer++)
        {
            for (int position = 0; position < tokens.Length; position += KvCache.BlockPositions)
            {
                for (int part = 0; part < cache.Parts; part++)
                    Put(sequence.Stored(layer, position, part, Math.Min(KvCache.BlockPositions, tokens.Length - position)));
            }
        }

        stream.Write(hash.GetHashAndReset());

        void Put(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            stream.Write(bytes);
        }
    }

    /// <summary>
    /// Fills an empty sequence with the file's first positions, as many as <paramref name="tokens"/> has room for, and that with their ids.
    /// </summary>
    /// <returns>How many.</returns>
    /// <exception cref="ModelFormatException">The file is damaged, or of another model; the sequence is empty then.</exception>
    internal static int Read(Stream stream, byte[] fingerprint, int vocabulary, Span<int> tokens, Sequence sequence)
    {
        var reader = new Reader(stream);
        try
        {
            int kept = Read(reader, fingerprint, vocabulary, tokens, sequence);
            sequence.Advance(kept);
            return kept;
        }
        catch
        {
            sequence.Advance(0);
            sequence.Discard();
            throw;
        }
        finally
        {
            reader.Dispose();
        }
    }

    private static int Read(Reader reader, byte[] fingerprint, int vocabulary, Span<int> tokens, Sequence sequence)
    {
        KvCache cache = sequence.Cache;
        Span<byte> header = stackalloc byte[HeaderBytes];
        reader.Fill(header[..8]);
        if (!header[..8].SequenceEqual(Magic))
            throw reader.Wrong($"is no prompt cache of this version: it does not begin with {System.Text.Encoding.ASCII.GetString(Magic)}");
        reader.Fill(header[8..]);
        if (!header.Slice(8, fingerprint.Length).SequenceEqual(fingerprint))
            throw reader.Wrong("is a prompt cache of another model, of other options that change bits (--activations, --kv-type, --rope-*) or of another version");
        int layers = BinaryPrimitives.ReadInt32LittleEndian(header[^12..]);
        int rowBytes = BinaryPrimitives.ReadInt32LittleEndian(header[^8..]);
        int count = BinaryPrimitives.ReadInt32LittleEndian(header[^4..]);
        if (layers != cache.Shape.Layers || rowBytes != cache.RowBytes)
            throw reader.Wrong($"has {layers} layers of {rowBytes} bytes per token, expected {cache.Shape.Layers} of {cache.RowBytes}; it is damaged");
        if (count is < 0 or > MostTokens)
            throw reader.Wrong($"claims {count} tokens, expected 0 to {MostTokens}; it is damaged");

        int kept = Math.Min(count, tokens.Length);
        Span<byte> id = stackalloc byte[sizeof(int)];
        for (int index = 0; index < count; index++)
        {
            reader.Fill(id);
            int token = BinaryPrimitives.ReadInt32LittleEndian(id);
            if ((uint)token >= (uint)vocabulary)
                throw reader.Wrong($"has token {token} at place {index}, outside the vocabulary of {vocabulary}; it is damaged");
            if (index < kept)
                tokens[index] = token;
        }

        sequence.Reserve(kept);
        byte[] rest = new byte[KvCache.BlockPositions * rowBytes];
        for (int layer = 0; layer < layers; layer++)
        {
            for (int position = 0; position < count; position += KvCache.BlockPositions)
            {
                int stored = Math.Min(KvCache.BlockPositions, count - position);
                int wanted = Math.Clamp(kept - position, 0, stored);
                for (int part = 0; part < cache.Parts; part++)
                {
                    if (wanted > 0)
                        reader.Fill(sequence.Stored(layer, position, part, wanted));
                    reader.Fill(rest.AsSpan(0, (stored - wanted) * cache.PartBytes(part)));
                }
            }
        }

        reader.End();
        return kept;
    }

    /// <summary>Reads, counts and hashes.</summary>
    private sealed class Reader(Stream stream) : IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private long _read;

        public void Dispose() => _hash.Dispose();

        internal void Fill(Span<byte> bytes)
        {
            int found = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            _read += found;
            if (found < bytes.Length)
                throw Wrong($"ends after {_read} bytes, expected more; it is incomplete");
            _hash.AppendData(bytes);
        }

        /// <summary>Checks the hash, and that nothing follows.</summary>
        internal void End()
        {
            byte[] expected = _hash.GetHashAndReset();
            Span<byte> stored = stackalloc byte[SHA256.HashSizeInBytes];
            Fill(stored);
            if (!stored.SequenceEqual(expected))
                throw Wrong("has a checksum that does not match its content; it is damaged");
            if (stream.ReadByte() >= 0)
                throw Wrong($"has bytes after its end at {_read}; it is damaged");
        }

        internal ModelFormatException Wrong(string what) =>
            new($"{(stream as FileStream)?.Name ?? "The prompt cache"} {what}; remove it or name another file.");
    }
}
