using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Pure.Engine.Formats;
using Pure.Engine.Formats.Gguf;

namespace Pure.Serve.Tests;

/// <summary>A small mixture of the repository whose file is changed here and there, as a mistaken engine would see it.</summary>
internal sealed class BentModel
{
    /// <summary>Bytes of magic, version and the two counts, behind which the keys begin.</summary>
    private const int HeaderBytes = 24;
    private const int Alignment = 32;

    private byte[] _bytes = File.ReadAllBytes(Original);

    /// <summary>The file as it should be: F32, two layers of 8 experts.</summary>
    internal static string Original { get; } = FindOriginal();

    internal byte[] Bytes => _bytes;

    /// <summary>Makes every element of a tensor <paramref name="value"/>.</summary>
    internal BentModel Fill(string tensor, float value)
    {
        (int start, int length, _) = Locate(tensor);
        MemoryMarshal.Cast<byte, float>(_bytes.AsSpan(start, length)).Fill(value);
        return this;
    }

    /// <summary>Exchanges two matrices of a stack.</summary>
    internal BentModel Swap(string tensor, int first, int second)
    {
        (int start, int length, int count) = Locate(tensor);
        int size = length / count;
        Span<byte> one = _bytes.AsSpan(start + (first * size), size);
        Span<byte> other = _bytes.AsSpan(start + (second * size), size);
        byte[] kept = one.ToArray();
        other.CopyTo(one);
        kept.CopyTo(other);
        return this;
    }

    /// <summary>Puts a key before all others; a second one beside it keeps the tensors aligned.</summary>
    internal BentModel Key(string key, string value)
    {
        const int Text = 8;
        byte[] added = [.. Name(key), Text, 0, 0, 0, .. Name(value)];
        const int EmptyFiller = sizeof(ulong) + 4 + 1;
        int blanks = Alignment - ((added.Length + EmptyFiller) % Alignment);
        const int Byte = 0;
        byte[] filler = [.. Name(new string('x', blanks)), Byte, 0, 0, 0, 0];
        _bytes = [.. _bytes[..HeaderBytes], .. added, .. filler, .. _bytes[HeaderBytes..]];
        Span<byte> keys = _bytes.AsSpan(HeaderBytes - sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(keys, BinaryPrimitives.ReadUInt64LittleEndian(keys) + 2);
        return this;
    }

    private static byte[] Name(string text) => [.. BitConverter.GetBytes((ulong)text.Length), .. Encoding.ASCII.GetBytes(text)];

    private (int Start, int Length, int Count) Locate(string name)
    {
        using GgufFile file = GgufFile.Open(Original);
        Assert.True(file.TryGetTensor(name, out Tensor? tensor));
        ReadOnlySpan<byte> data = tensor.Data.AsSpan(0, (int)tensor.Data.Length);
        int start = File.ReadAllBytes(Original).AsSpan().IndexOf(data);
        return (start + (int)(_bytes.Length - file.FileBytes), data.Length, (int)tensor.Shape[0]);
    }

    private static string FindOriginal()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Pure.sln")))
                return Path.Combine(folder.FullName, "tests", "Pure.Engine.Tests", "goldens", "models", "llama-mixtral.gguf");
        }

        throw new InvalidOperationException($"No Pure.sln above {AppContext.BaseDirectory}.");
    }
}
