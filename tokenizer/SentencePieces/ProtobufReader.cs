using System.Buffers.Binary;

namespace Pure.Tokenizers.SentencePieces;

/// <summary>
/// Reads the fields of one message of protocol buffers (protobuf.dev, "Encoding"): each is a number with its wire type in the
/// lowest three bits, and a value. The bytes are not trusted.
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, int offset, string file)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;
    private Wire _wire;

    private enum Wire
    {
        Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
    }

    /// <summary>Where the value to be read begins in the file.</summary>
    public readonly int Position => offset + _at;

    /// <summary>Goes on to the next field, whose value must then be read or skipped.</summary>
    public bool Next(out int field)
    {
        field = 0;
        if (_at == _message.Length)
            return false;
        int start = Position;
        ulong tag = Varint();
        _wire = (Wire)(tag & 7);
        if (tag >> 3 is 0 or > 0x1FFFFFFF || !Enum.IsDefined(_wire))
            throw new TokenizerException(
                $"{file}: byte {start} begins no field of a message; the file is damaged or no SentencePiece model: download it again.");
        field = (int)(tag >> 3);
        return true;
    }

    public void Skip()
    {
        switch (_wire)
        {
            case Wire.Varint: Varint(); break;
            case Wire.Fixed64: Take(8); break;
            case Wire.Bytes: Take(Varint()); break;
            default: Take(4); break;
        }
    }

    public ReadOnlySpan<byte> Bytes()
    {
        Require(Wire.Bytes);
        return Take(Varint());
    }

    /// <summary>A message within this one.</summary>
    public ProtobufReader Message()
    {
        var bytes = Bytes();
        return new(bytes, Position - bytes.Length, file);
    }

    /// <summary>Well-formed UTF-8.</summary>
    public string Text()
    {
        int start = Position;
        try
        {
            return Strict.GetString(Bytes());
        }
        catch (ArgumentException exception)
        {
            throw new TokenizerException($"{file}: the text at byte {start} is not UTF-8; the file is damaged: download it again.", exception);
        }
    }

    /// <summary>A 32-bit integer, which is written sign-extended.</summary>
    public int Integer()
    {
        Require(Wire.Varint);
        return (int)Varint();
    }

    public bool Boolean() => Integer() != 0;

    public float Float()
    {
        Require(Wire.Fixed32);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(4));
    }

    private static readonly System.Text.UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly void Require(Wire wire)
    {
        if (_wire != wire)
            throw new TokenizerException(
                $"{file}: the value at byte {Position} is of wire type {(int)_wire}, where {(int)wire} is expected; "
                + "the file is damaged or no SentencePiece model: download it again.");
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw new TokenizerException($"{file}: the number before byte {Position} has no end; the file is damaged: download it again.");
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(_message.Length - _at))
            throw new TokenizerException(
                $"{file}: a value at byte {Position} has {count} bytes, but only {_message.Length - _at} are left; "
                + "the file is damaged or no SentencePiece model: download it again.");
        var taken = _message.Slice(_at, (int)count);
        _at += (int)count;
        return taken;
    }
}
