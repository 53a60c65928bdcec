using System.Text;

namespace Pure.Tokenizers.Tests;

/// <summary>Writes files of SentencePiece, field by field.</summary>
internal sealed class SentencePieceBuilder
{
    private readonly List<byte> _file = [];

    /// <summary>Unknown, begin, end, the 256 byte pieces if asked for, and a few pieces with scores.</summary>
    public static byte[] Tiny(int model, bool hasBytes, Action<SentencePieceBuilder>? more = null)
    {
        var builder = new SentencePieceBuilder().Piece("<unk>", 0, 2).Piece("<s>", 0, 3).Piece("</s>", 0, 3);
        for (int value = 0; hasBytes && value < 256; value++)
            builder.Piece($"<0x{value:X2}>", 0, 6);
        (string Text, float Score)[] pieces =
            [("▁the", -1), ("▁", -2), ("t", -6), ("h", -7), ("e", -5), ("he", -3), ("the", -4), ("a", -2.5f), ("▁a", -2.25f), ("é", -8)];
        foreach (var (text, score) in pieces)
            builder.Piece(text, score);
        builder.Message(2, trainer => trainer.Number(3, model).Number(35, hasBytes ? 1 : 0));
        more?.Invoke(builder);
        return builder.Build();
    }

    public byte[] Build() => [.. _file];

    public SentencePieceBuilder Piece(string text, float score, int kind = 1) => Message(1, piece =>
    {
        piece.Text(1, text).Float(2, score);
        if (kind != 1)
            piece.Number(3, kind);
    });

    public SentencePieceBuilder Message(int field, Action<SentencePieceBuilder> write)
    {
        var inner = new SentencePieceBuilder();
        write(inner);
        return Bytes(field, inner.Build());
    }

    public SentencePieceBuilder Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    public SentencePieceBuilder Bytes(int field, byte[] bytes)
    {
        Varint((ulong)field << 3 | 2);
        Varint((ulong)bytes.Length);
        _file.AddRange(bytes);
        return this;
    }

    public SentencePieceBuilder Number(int field, long value)
    {
        Varint((ulong)field << 3);
        Varint((ulong)value);
        return this;
    }

    public SentencePieceBuilder Float(int field, float value)
    {
        Varint((ulong)field << 3 | 5);
        _file.AddRange(BitConverter.GetBytes(value));
        return this;
    }

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _file.Add((byte)(value | 0x80));
        _file.Add((byte)value);
    }
}
