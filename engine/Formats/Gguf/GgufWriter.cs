using System.Text;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.Gguf;

/// <summary>
/// Writes GGUF files of version 3 (layout: <see cref="GgufFile"/>). The header is made at once; tensors are asked for their data one
/// after the other, so a file may be larger than memory.
/// </summary>
public sealed class GgufWriter
{
    private const uint Version = 3;
    private const int Alignment = 32; // what readers take where general.alignment is not given

    private readonly IReadOnlyList<GgufContent> _tensors;
    private readonly byte[] _header;

    /// <summary>Lays out a file.</summary>
    /// <param name="keys">Keys and values, without <c>general.alignment</c>.</param>
    /// <param name="tensors">The tensors, in the order of their data; names differ.</param>
    /// <exception cref="ArgumentException">A row is no whole number of blocks, or GGUF does not have the type.</exception>
    public GgufWriter(GgufKeys keys, IReadOnlyList<GgufContent> tensors)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(tensors);
        _tensors = tensors;
        _header = Header(keys, tensors, out long dataBytes);
        Length = _header.Length + dataBytes;
    }

    /// <summary>Bytes of the whole file.</summary>
    public long Length { get; }

    /// <summary>Writes the whole file.</summary>
    /// <param name="output">Where to; it need not seek.</param>
    /// <exception cref="InvalidOperationException">A tensor wrote more or fewer bytes than its shape says.</exception>
    public void Write(Stream output)
    {
        ArgumentNullException.ThrowIfNull(output);
        output.Write(_header);
        using var counted = new CountingStream(output);
        foreach (GgufContent tensor in _tensors)
        {
            long begin = counted.Position;
            tensor.Write(counted);
            long written = counted.Position - begin;
            if (written != tensor.Bytes)
                throw new InvalidOperationException($"Tensor '{tensor.Name}' wrote {written} bytes, its type and shape take {tensor.Bytes}.");
            Pad(counted, counted.Position);
        }
    }

    private static byte[] Header(GgufKeys keys, IReadOnlyList<GgufContent> tensors, out long dataBytes)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)keys.Count);
        keys.Write(writer);
        dataBytes = 0;
        foreach (GgufContent tensor in tensors)
        {
            WriteLine(writer, tensor, dataBytes);
            dataBytes += tensor.Bytes + Padding(tensor.Bytes);
        }

        Pad(bytes, bytes.Length);
        return bytes.ToArray();
    }

    private static void WriteLine(BinaryWriter writer, GgufContent tensor, long offset)
    {
        if (!GgmlTypes.Has(tensor.Type))
            throw new ArgumentException($"Tensor '{tensor.Name}' has the type {tensor.Type}, which GGUF does not have.", nameof(tensor));
        GgufKeys.WriteText(writer, tensor.Name);
        writer.Write((uint)tensor.Shape.Count);
        foreach (long size in tensor.Shape.Reverse())
            writer.Write((ulong)size);
        writer.Write((uint)tensor.Type);
        writer.Write((ulong)offset);
    }

    private static int Padding(long length) => (int)((Alignment - (length % Alignment)) % Alignment);

    private static void Pad(Stream output, long length) => output.Write(stackalloc byte[Padding(length)]);

    /// <summary>Knows how much went through it.</summary>
    private sealed class CountingStream(Stream output) : Stream
    {
        private long _position;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _position;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            output.Write(buffer);
            _position += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => output.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

/// <summary>A tensor to be written.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How its elements are stored.</param>
/// <param name="Shape">Sizes, slowest dimension first; a row is a whole number of the type's blocks.</param>
/// <param name="Write">Writes its elements as they are stored, exactly as many bytes as type and shape say.</param>
public sealed record GgufContent(string Name, ElementType Type, IReadOnlyList<long> Shape, Action<Stream> Write)
{
    /// <summary>Bytes of its elements.</summary>
    public long Bytes => checked(ElementFormat.Of(Type).RowBytes(Shape[^1]) * Shape.SkipLast(1).Aggregate(1L, (product, size) => product * size));
}
