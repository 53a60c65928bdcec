using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Pure.Engine.Memory;

namespace Pure.Engine.Formats.Gguf;

/// <summary>
/// Reads a GGUF file from front to back and never past its end. Every refusal names the file, the byte and what was being read.
/// </summary>
internal ref struct GgufCursor(NativeView view, string file)
{
    /// <summary>An array may hold arrays this deep; nothing known goes past 2.</summary>
    private const int MaxArrayDepth = 8;

    /// <summary>What is being read, for messages: <c>the header</c>, <c>key 'general.name'</c>.</summary>
    public string Within { get; set; } = "the header";

    public long Position { get; private set; }

    public readonly string File => file;

    public readonly long Remaining => view.Length - Position;

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    public ReadOnlySpan<byte> Take(int length)
    {
        if (length > Remaining)
            throw Truncated((ulong)length);
        var bytes = view.AsSpan(Position, length);
        Position += length;
        return bytes;
    }

    /// <summary>A count of things of which each takes at least <paramref name="leastBytes"/>: more than fit are refused.</summary>
    public long Count(ulong count, int leastBytes, string things)
    {
        if (count > (ulong)(Remaining / leastBytes))
        {
            throw new ModelFormatException(
                $"{file}: {Within} announces {count} {things}, more than the {Remaining} bytes left after byte {Position} can hold; " +
                "the file is damaged or truncated: download it again.");
        }

        return (long)count;
    }

    public string String() => Encoding.UTF8.GetString(StringBytes());

    /// <summary>Passes over one value of <paramref name="type"/> and checks all of it.</summary>
    public void Skip(GgufValueType type, int depth = 0)
    {
        switch (type)
        {
            case GgufValueType.String:
                StringBytes();
                break;
            case GgufValueType.Array:
                SkipArray(depth);
                break;
            case GgufValueType.Boolean:
                CheckBooleans(Take(1));
                break;
            default:
                Take(type.Size());
                break;
        }
    }

    /// <summary>The type written at the cursor.</summary>
    public GgufValueType ValueType()
    {
        uint type = UInt32();
        if (type > (uint)GgufValueType.Float64)
        {
            throw new ModelFormatException(
                $"{file}: {Within} has the value type {type} at byte {Position - sizeof(uint)}, expected 0 to " +
                $"{(uint)GgufValueType.Float64}; the file is damaged: download it again.");
        }

        return (GgufValueType)type;
    }

    private void SkipArray(int depth)
    {
        if (depth == MaxArrayDepth)
        {
            throw new ModelFormatException(
                $"{file}: {Within} nests arrays more than {MaxArrayDepth} deep at byte {Position}; the file is damaged: " +
                "download it again.");
        }

        var type = ValueType();
        int leastBytes = type.LeastBytes();
        long count = Count(UInt64(), leastBytes, "array elements");
        if (type is GgufValueType.String or GgufValueType.Array)
        {
            for (long i = 0; i < count; i++)
                Skip(type, depth + 1);
            return;
        }

        for (long left = count * leastBytes; left > 0;)
        {
            var part = Take((int)Math.Min(left, 1 << 30));
            if (type == GgufValueType.Boolean)
                CheckBooleans(part);
            left -= part.Length;
        }
    }

    private ReadOnlySpan<byte> StringBytes()
    {
        ulong length = UInt64();
        if (length > (ulong)Remaining)
            throw Truncated(length);
        if (length > int.MaxValue)
        {
            throw new ModelFormatException(
                $"{file}: {Within} holds a string of {length} bytes at byte {Position}, the longest that is read is {int.MaxValue}.");
        }

        var bytes = Take((int)length);
        if (!Utf8.IsValid(bytes))
        {
            throw new ModelFormatException(
                $"{file}: {Within} holds a string that is not UTF-8, {length} bytes at byte {Position - (long)length}; " +
                "the file is damaged: download or convert it again.");
        }

        return bytes;
    }

    private readonly void CheckBooleans(ReadOnlySpan<byte> bytes)
    {
        int wrong = bytes.IndexOfAnyExceptInRange((byte)0, (byte)1);
        if (wrong >= 0)
        {
            throw new ModelFormatException(
                $"{file}: {Within} holds the boolean {bytes[wrong]} at byte {Position - bytes.Length + wrong}, expected 0 or 1; " +
                "the file is damaged: download it again.");
        }
    }

    private readonly ModelFormatException Truncated(ulong needed) => new(
        $"{file}: the file ends at byte {view.Length} inside {Within}, where byte {Position} begins {needed} bytes, " +
        $"{needed - (ulong)Remaining} more than there are; it is truncated or damaged: download it again.");
}
