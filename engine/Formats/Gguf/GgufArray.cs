using System.Buffers.Binary;

namespace Pure.Engine.Formats.Gguf;

/// <summary>
/// An array in the metadata. It stays in the bytes of the file (checked when the file was opened) until asked for as something;
/// each call decodes anew.
/// </summary>
public sealed class GgufArray
{
    private const int Shown = 3;
    private readonly GgufMetadata _metadata;
    private readonly string _key;
    private readonly int _start;

    /// <param name="metadata">Owner of the bytes.</param>
    /// <param name="key">Key, for messages.</param>
    /// <param name="offset">Where the element type is written.</param>
    internal GgufArray(GgufMetadata metadata, string key, int offset)
    {
        _metadata = metadata;
        _key = key;
        var bytes = metadata.Bytes.AsSpan(offset);
        ElementType = (GgufValueType)BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        Count = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(bytes[sizeof(uint)..]));
        _start = offset + sizeof(uint) + sizeof(ulong);
    }

    /// <summary>Type of every element.</summary>
    public GgufValueType ElementType { get; }

    /// <summary>Number of elements.</summary>
    public int Count { get; }

    /// <summary>All elements as strings.</summary>
    /// <exception cref="ModelFormatException">The array holds something else.</exception>
    public string[] ToStrings()
    {
        Expect(ElementType == GgufValueType.String, GgufValueType.String);
        return Strings(Count);
    }

    /// <summary>All elements as integers, whichever width they are stored in.</summary>
    /// <exception cref="ModelFormatException">The array holds something else, or an element is 2^63 or more.</exception>
    public long[] ToIntegers()
    {
        Expect(ElementType.IsInteger(), GgufValueType.Int64);
        return Elements(Count, offset => _metadata.Integer(_key, ElementType, offset));
    }

    /// <summary>All elements as 32-bit floats; 64-bit ones are rounded to the nearest.</summary>
    /// <exception cref="ModelFormatException">The array holds something else.</exception>
    public float[] ToFloats()
    {
        Expect(ElementType.IsFloat(), GgufValueType.Float32);
        return Elements(Count, offset => (float)_metadata.Float(ElementType, offset));
    }

    /// <summary>All elements as booleans.</summary>
    /// <exception cref="ModelFormatException">The array holds something else.</exception>
    public bool[] ToBooleans()
    {
        Expect(ElementType == GgufValueType.Boolean, GgufValueType.Boolean);
        return Elements(Count, offset => _metadata.Bytes[offset] != 0);
    }

    /// <summary>All elements as arrays.</summary>
    /// <exception cref="ModelFormatException">The array holds something else.</exception>
    public GgufArray[] ToArrays()
    {
        Expect(ElementType == GgufValueType.Array, GgufValueType.Array);
        var arrays = new GgufArray[Count];
        int offset = _start;
        for (int i = 0; i < Count; i++)
        {
            arrays[i] = new GgufArray(_metadata, _key, offset);
            offset = arrays[i].End();
        }

        return arrays;
    }

    /// <summary>The first elements and the count, such as <c>[1, 2, 3, … 151936 in all]</c>.</summary>
    public override string ToString()
    {
        int shown = Math.Min(Count, Shown);
        string[] first = ElementType switch
        {
            GgufValueType.String => Array.ConvertAll(Strings(shown), FileText.Quote),
            GgufValueType.Array => [.. ToArrays().Take(shown).Select(array => array.ToString())],
            _ => Elements(shown, offset => _metadata.Scalar(_key, ElementType, offset).ToString() ?? ""),
        };
        string rest = Count > shown ? $", … {Count} in all" : "";
        return $"[{string.Join(", ", first)}{rest}]";
    }

    private string[] Strings(int count)
    {
        var strings = new string[count];
        int offset = _start;
        for (int i = 0; i < count; i++)
            strings[i] = _metadata.String(offset, out offset);

        return strings;
    }

    private T[] Elements<T>(int count, Func<int, T> decode)
    {
        int size = ElementType.Size();
        var elements = new T[count];
        for (int i = 0; i < count; i++)
            elements[i] = decode(_start + (i * size));
        return elements;
    }

    /// <summary>Where the bytes of this array end.</summary>
    private int End()
    {
        if (ElementType is not (GgufValueType.String or GgufValueType.Array))
            return _start + (Count * ElementType.Size());
        int end = _start;
        for (int i = 0; i < Count; i++)
        {
            end = ElementType == GgufValueType.Array
                ? new GgufArray(_metadata, _key, end).End()
                : end + sizeof(ulong) + _metadata.StringLength(end);
        }

        return end;
    }

    private void Expect(bool holds, GgufValueType expected)
    {
        if (!holds)
        {
            throw new ModelFormatException(
                $"{_metadata.File}: key '{_key}' is an array of {ElementType.Plural()}, an array of {expected.Plural()} was " +
                "expected; the file was written wrongly: convert the model again.");
        }
    }
}
