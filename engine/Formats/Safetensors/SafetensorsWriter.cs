using System.Buffers.Binary;
using System.Text.Json;

namespace Pure.Engine.Formats.Safetensors;

/// <summary>Writes safetensors files (layout: <see cref="SafetensorsFile"/>); tensors are asked for their data one after the other.</summary>
public static class SafetensorsWriter
{
    // Data that begins at a multiple of 8 can be mapped as any element type.
    private const int Alignment = 8;

    /// <summary>Writes a whole file.</summary>
    /// <param name="output">Where to; it need not seek.</param>
    /// <param name="tensors">The tensors, in the order of their data; names differ.</param>
    /// <param name="metadata">Free text by free keys.</param>
    public static void Write(Stream output, IReadOnlyList<SafetensorsContent> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(metadata);
        byte[] header = Header(tensors, metadata);
        int padding = (Alignment - (header.Length % Alignment)) % Alignment;
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)(header.Length + padding));
        output.Write(length);
        output.Write(header);
        for (int blank = 0; blank < padding; blank++)
            output.WriteByte((byte)' ');
        foreach (SafetensorsContent tensor in tensors)
            tensor.Write(output);
    }

    private static byte[] Header(IReadOnlyList<SafetensorsContent> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
                WriteMetadata(json, metadata);
            long begin = 0;
            foreach (SafetensorsContent tensor in tensors)
            {
                long end = begin + tensor.Bytes;
                WriteLine(json, tensor, begin, end);
                begin = end;
            }

            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject("__metadata__");
        foreach ((string key, string value) in metadata)
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteLine(Utf8JsonWriter json, SafetensorsContent tensor, long begin, long end)
    {
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", tensor.Type.ToString());
        json.WriteStartArray("shape");
        foreach (long size in tensor.Shape)
            json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(begin);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

/// <summary>A tensor to be written.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How its elements are stored.</param>
/// <param name="Shape">Sizes, slowest dimension first.</param>
/// <param name="Write">Writes its elements, little-endian, exactly as many as the shape says.</param>
public sealed record SafetensorsContent(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, Action<Stream> Write)
{
    /// <summary>Bytes of its elements.</summary>
    internal long Bytes => Shape.Aggregate((long)Type.Bytes(), (product, size) => checked(product * size));
}
