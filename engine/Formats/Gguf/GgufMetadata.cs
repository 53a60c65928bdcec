using System.Buffers.Binary;
using System.Text;
using Pure.Engine.Memory;

namespace Pure.Engine.Formats.Gguf;

/// <summary>
/// The keys and values of a GGUF file, in file order. Everything was checked when the file was opened; the bytes were copied, so
/// this outlives the file. <c>Get…</c> throws when the key is missing, <c>Find…</c> answers null; both throw when its type is
/// another. Integers may be stored in any width.
/// </summary>
public sealed class GgufMetadata : Metadata
{
    /// <summary>A key of one letter (8 + 1), a type (4) and a value of one byte.</summary>
    internal const int LeastEntryBytes = 14;

    private readonly OrderedDictionary<string, Entry> _entries;

    private GgufMetadata(string file, byte[] bytes, OrderedDictionary<string, Entry> entries)
    {
        File = file;
        Bytes = bytes;
        _entries = entries;
    }

    /// <summary>Type and place in <see cref="Bytes"/> of one value.</summary>
    private readonly record struct Entry(GgufValueType Type, int Offset);

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Keys => _entries.Keys;

    internal override string File { get; }

    internal byte[] Bytes { get; }

    /// <inheritdoc/>
    public override bool Contains(string key) => _entries.ContainsKey(key);

    /// <inheritdoc/>
    public override int? FindCount(string key) => FindArray(key)?.Count;

    /// <summary>Type of the value of <paramref name="key"/>, null when the file does not have it.</summary>
    public GgufValueType? TypeOf(string key) => _entries.TryGetValue(key, out var entry) ? entry.Type : null;

    /// <summary>
    /// The value of <paramref name="key"/> as it is stored, for display: a <see cref="string"/>, <see cref="bool"/>,
    /// <see cref="long"/>, <see cref="ulong"/>, <see cref="float"/>, <see cref="double"/> or <see cref="GgufArray"/>.
    /// </summary>
    /// <exception cref="ModelFormatException">The key is missing.</exception>
    public object this[string key]
    {
        get
        {
            if (!_entries.TryGetValue(key, out var entry))
                throw new ModelFormatException($"{File}: key '{key}' is missing; convert the model again with a newer converter.");
            return entry.Type switch
            {
                GgufValueType.String => String(entry.Offset, out _),
                GgufValueType.Array => new GgufArray(this, key, entry.Offset),
                _ => Scalar(key, entry.Type, entry.Offset),
            };
        }
    }

    /// <inheritdoc/>
    public override string? FindString(string key) =>
        Find(key, GgufValueType.String) is { } entry ? String(entry.Offset, out _) : null;

    /// <inheritdoc/>
    public override long? FindInteger(string key) =>
        Find(key, GgufValueType.Int64) is { } entry ? Integer(key, entry.Type, entry.Offset) : null;

    /// <inheritdoc/>
    public override double? FindNumber(string key)
    {
        if (Find(key, GgufValueType.Float64) is not { } entry)
            return null;
        return entry.Type.IsInteger() ? Integer(key, entry.Type, entry.Offset) : Float(entry.Type, entry.Offset);
    }

    /// <inheritdoc/>
    public override bool? FindBoolean(string key) =>
        Find(key, GgufValueType.Boolean) is { } entry ? Bytes[entry.Offset] != 0 : null;

    /// <summary>The array at <paramref name="key"/>.</summary>
    /// <exception cref="ModelFormatException">The key is missing or no array.</exception>
    public GgufArray GetArray(string key) => FindArray(key) ?? throw Missing(key, GgufValueType.Array.Phrase());

    /// <summary>The array at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no array.</exception>
    public GgufArray? FindArray(string key) =>
        Find(key, GgufValueType.Array) is { } entry ? new GgufArray(this, key, entry.Offset) : null;

    /// <inheritdoc/>
    public override string[]? FindStrings(string key) => FindArray(key)?.ToStrings();

    /// <inheritdoc/>
    public override long[]? FindIntegers(string key) => FindArray(key)?.ToIntegers();

    /// <inheritdoc/>
    public override float[]? FindFloats(string key) => FindArray(key)?.ToFloats();

    /// <summary>The booleans at <paramref name="key"/>.</summary>
    /// <exception cref="ModelFormatException">The key is missing or no array of booleans.</exception>
    public bool[] GetBooleans(string key) => GetArray(key).ToBooleans();

    /// <summary>The booleans at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no array of booleans.</exception>
    public bool[]? FindBooleans(string key) => FindArray(key)?.ToBooleans();

    /// <summary>Reads and checks <paramref name="count"/> entries at the cursor.</summary>
    internal static GgufMetadata Read(ref GgufCursor cursor, NativeView view, ulong count)
    {
        cursor.Within = "the header";
        long entryCount = cursor.Count(count, LeastEntryBytes, "metadata keys");
        long start = cursor.Position;
        var entries = new OrderedDictionary<string, Entry>();
        for (long i = 0; i < entryCount; i++)
        {
            cursor.Within = $"metadata key {i + 1} of {entryCount}";
            long keyAt = cursor.Position;
            string key = cursor.String();
            if (key.Length == 0)
            {
                throw new ModelFormatException(
                    $"{cursor.File}: {cursor.Within} at byte {keyAt} has no name; the file is damaged: download it again.");
            }

            cursor.Within = $"key {FileText.Quote(key)}";
            var type = cursor.ValueType();
            long offset = cursor.Position - start;
            cursor.Skip(type);
            if (cursor.Position - start > Array.MaxLength)
            {
                throw new ModelFormatException(
                    $"{cursor.File}: the metadata up to {cursor.Within} takes {cursor.Position - start} bytes, at most " +
                    $"{Array.MaxLength} are read; the file is damaged: download it again.");
            }

            if (!entries.TryAdd(key, new Entry(type, (int)offset)))
            {
                throw new ModelFormatException(
                    $"{cursor.File}: {cursor.Within} stands twice in the metadata, the second time at byte {keyAt}; " +
                    "the file was written wrongly: convert the model again.");
            }
        }

        byte[] bytes = view.AsSpan(start, (int)(cursor.Position - start)).ToArray();
        return new GgufMetadata(cursor.File, bytes, entries);
    }

    internal string String(int offset, out int end)
    {
        int length = StringLength(offset);
        end = offset + sizeof(ulong) + length;
        return Encoding.UTF8.GetString(Bytes, offset + sizeof(ulong), length);
    }

    internal int StringLength(int offset) => (int)BinaryPrimitives.ReadUInt64LittleEndian(Bytes.AsSpan(offset));

    internal long Integer(string key, GgufValueType type, int offset)
    {
        var bytes = Bytes.AsSpan(offset);
        switch (type)
        {
            case GgufValueType.UInt8:
                return bytes[0];
            case GgufValueType.Int8:
                return (sbyte)bytes[0];
            case GgufValueType.UInt16:
                return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
            case GgufValueType.Int16:
                return BinaryPrimitives.ReadInt16LittleEndian(bytes);
            case GgufValueType.UInt32:
                return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            case GgufValueType.Int32:
                return BinaryPrimitives.ReadInt32LittleEndian(bytes);
            case GgufValueType.Int64:
                return BinaryPrimitives.ReadInt64LittleEndian(bytes);
            default:
                ulong value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
                if (value > long.MaxValue)
                {
                    throw new ModelFormatException(
                        $"{File}: key '{key}' is {value}, expected less than 2^63; the file is damaged: download it again.");
                }

                return (long)value;
        }
    }

    internal double Float(GgufValueType type, int offset) => type == GgufValueType.Float32
        ? BinaryPrimitives.ReadSingleLittleEndian(Bytes.AsSpan(offset))
        : BinaryPrimitives.ReadDoubleLittleEndian(Bytes.AsSpan(offset));

    internal object Scalar(string key, GgufValueType type, int offset) => type switch
    {
        GgufValueType.Boolean => Bytes[offset] != 0,
        GgufValueType.Float32 => (float)Float(type, offset),
        GgufValueType.Float64 => Float(type, offset),
        GgufValueType.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.AsSpan(offset)),
        _ => Integer(key, type, offset),
    };

    /// <summary>The entry of <paramref name="key"/> if there is one; it must be of the kind of <paramref name="expected"/>.</summary>
    private Entry? Find(string key, GgufValueType expected)
    {
        if (!_entries.TryGetValue(key, out var entry))
            return null;
        bool fits = entry.Type == expected
            || (expected.IsInteger() && entry.Type.IsInteger())
            || (expected.IsFloat() && (entry.Type.IsFloat() || entry.Type.IsInteger()));
        if (!fits)
        {
            throw new ModelFormatException(
                $"{File}: key '{key}' is {entry.Type.Phrase()}, {expected.Phrase()} was expected; the file was written wrongly: " +
                "convert the model again.");
        }

        return entry;
    }
}
