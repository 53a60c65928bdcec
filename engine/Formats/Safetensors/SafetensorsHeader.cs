using System.Text.Json;

namespace Pure.Engine.Formats.Safetensors;

/// <summary>The JSON at the start of a safetensors file, read token by token: untrusted, and of a size that a file may choose.</summary>
internal sealed class SafetensorsHeader
{
    /// <summary>Most bytes of a header, as in the format's own library.</summary>
    internal const int Longest = 100_000_000;

    // { name: { shape: [
    private const int Deepest = 3;
    private const int MostDimensions = 8;
    private const string MetadataName = "__metadata__";

    private SafetensorsHeader(IReadOnlyList<Line> lines, IReadOnlyDictionary<string, string> metadata)
    {
        Lines = lines;
        Metadata = metadata;
    }

    /// <summary>One tensor; <paramref name="Begin"/> and <paramref name="End"/> count from the start of the data.</summary>
    internal readonly record struct Line(string Name, SafetensorsType Type, long[] Shape, ulong Begin, ulong End);

    internal IReadOnlyList<Line> Lines { get; }

    internal IReadOnlyDictionary<string, string> Metadata { get; }

    /// <exception cref="ModelFormatException">It is no header, or a line contradicts itself.</exception>
    internal static SafetensorsHeader Read(ReadOnlySpan<byte> json, string file)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Deepest });
        var lines = new List<Line>();
        var names = new HashSet<string>();
        var metadata = new Dictionary<string, string>();
        try
        {
            Expect(ref reader, JsonTokenType.StartObject, file, "the header");
            while (NextName(ref reader, file, "the header") is { } name)
            {
                if (!names.Add(name))
                {
                    throw new ModelFormatException(
                        $"{file}: tensor {FileText.Quote(name)} stands twice in the header; the file was written wrongly: convert the model again.");
                }

                if (name == MetadataName)
                    ReadMetadata(ref reader, metadata, file);
                else
                    lines.Add(ReadLine(ref reader, name, file));
            }

            // Anything but blanks after the closing brace is an error of the reader's.
            reader.Read();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Beside damaged JSON: a string that is no UTF-8.
            throw new ModelFormatException(
                $"{file}: the header is no valid JSON near its byte {reader.BytesConsumed}; this is no safetensors file, or it is damaged: " +
                "download it again.",
                exception);
        }

        return new SafetensorsHeader(lines, metadata);
    }

    private static Line ReadLine(ref Utf8JsonReader reader, string name, string file)
    {
        string tensor = $"{file}: tensor {FileText.Quote(name)}";
        string within = $"tensor {FileText.Quote(name)}";
        string? typeName = null;
        long[]? shape = null;
        long[]? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, file, within);
        while (NextName(ref reader, file, within) is { } field)
        {
            bool again = false;
            switch (field)
            {
                case "dtype":
                    again = typeName is not null;
                    Expect(ref reader, JsonTokenType.String, file, $"the dtype of {within}");
                    typeName = reader.GetString()!;
                    break;
                case "shape":
                    again = shape is not null;
                    shape = Integers(ref reader, MostDimensions, file, $"the shape of {within}");
                    break;
                case "data_offsets":
                    again = offsets is not null;
                    offsets = Integers(ref reader, 2, file, $"the data_offsets of {within}");
                    break;
                default:
                    throw new ModelFormatException(
                        $"{tensor} has an unknown field {FileText.Quote(field)}, expected dtype, shape and data_offsets; the file was written wrongly: " +
                        "convert the model again.");
            }

            if (again)
                throw new ModelFormatException($"{tensor} has its {field} twice; the file was written wrongly: convert the model again.");
        }

        if (typeName is null || shape is null || offsets is not { Length: 2 })
        {
            string lacking = typeName is null ? "dtype" : shape is null ? "shape" : "two data_offsets";
            throw new ModelFormatException($"{tensor} lacks its {lacking}; the file is damaged: download it again.");
        }

        SafetensorsType type = SafetensorsTypes.Find(typeName) ?? throw new ModelFormatException(
            $"{tensor} has dtype {FileText.Quote(typeName)}, which is not supported; known are {SafetensorsTypes.Names}.");
        CheckSize(type, shape, offsets, tensor);
        return new Line(name, type, shape, (ulong)offsets[0], (ulong)offsets[1]);
    }

    private static void CheckSize(SafetensorsType type, long[] shape, long[] offsets, string tensor)
    {
        // The product saturates: whatever passes 2^63 fits no file.
        UInt128 bytes = (UInt128)type.Bytes();
        foreach (long size in shape)
            bytes = bytes * (UInt128)size <= long.MaxValue ? bytes * (UInt128)size : (UInt128)long.MaxValue + 1;
        if (offsets[0] > offsets[1] || (UInt128)(offsets[1] - offsets[0]) != bytes)
        {
            throw new ModelFormatException(
                $"{tensor} of shape [{string.Join(", ", shape)}] and dtype {type} takes {(bytes > long.MaxValue ? "2^63 bytes or more" : $"{bytes} bytes")}, " +
                $"its data_offsets are [{offsets[0]}, {offsets[1]}]; the file is damaged: download it again.");
        }
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata, string file)
    {
        Expect(ref reader, JsonTokenType.StartObject, file, MetadataName);
        while (NextName(ref reader, file, MetadataName) is { } key)
        {
            Expect(ref reader, JsonTokenType.String, file, $"{MetadataName} key {FileText.Quote(key)}");
            metadata[key] = reader.GetString()!;
        }
    }

    private static long[] Integers(ref Utf8JsonReader reader, int most, string file, string what)
    {
        var values = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray, file, what);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0 || values.Count == most)
            {
                throw new ModelFormatException(
                    $"{file}: {what} is no list of up to {most} whole numbers from 0 to 2^63 - 1; the file is damaged: download it again.");
            }

            values.Add(value);
        }

        return [.. values];
    }

    /// <summary>The next member's name, or null at the object's end.</summary>
    private static string? NextName(ref Utf8JsonReader reader, string file, string what)
    {
        if (!reader.Read())
            throw Unexpected(file, what);
        return reader.TokenType == JsonTokenType.EndObject ? null : reader.GetString();
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string file, string what)
    {
        if (!reader.Read() || reader.TokenType != type)
            throw Unexpected(file, what);
    }

    private static ModelFormatException Unexpected(string file, string what) => new(
        $"{file}: {what} in the header is not of the form that safetensors have; this is no safetensors file, or it is damaged: download it again.");
}
