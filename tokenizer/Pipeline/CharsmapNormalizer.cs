using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Pure.Tokenizers.Pipeline;

/// <summary>
/// SentencePiece's compiled rules (<c>precompiled_charsmap</c>): a double-array trie of byte sequences, whose values are
/// places in a block of replacements that end with a zero byte. Layout: the length of the trie in bytes (32 bits, little
/// endian), its units (32 bits each), the replacements.
/// </summary>
internal sealed class CharsmapNormalizer : Normalizer
{
    /// <summary>Text elements longer than this are taken apart, as the original does.</summary>
    private const int LongestElement = 6;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    private CharsmapNormalizer(uint[] units, byte[] replacements) => (_units, _replacements) = (units, replacements);

    public static CharsmapNormalizer Read(JsonNode node)
    {
        var map = node.Get("precompiled_charsmap");
        string text = map.Text();
        byte[] data = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, data, out int length))
            throw map.Error("is not base64");
        uint trie = length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(data) : 0;
        if (trie == 0 || trie % 4 > 0 || trie > (uint)(length - 4))
            throw map.Error($"is damaged: its trie has {trie} bytes of {length}");
        uint[] units = new uint[trie / 4];
        for (int i = 0; i < units.Length; i++)
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(4 + 4 * i));
        return new(units, data[(4 + (int)trie)..length]);
    }

    public override string Apply(string text)
    {
        var rewritten = new StringBuilder(text.Length);
        Span<byte> bytes = stackalloc byte[LongestElement];
        for (int at = 0; at < text.Length;)
        {
            var element = text.AsSpan(at, StringInfo.GetNextTextElementLength(text.AsSpan(at)));
            at += element.Length;
            Growth.Check(rewritten.Length, text.Length, "The normalizer");
            if (Encoding.UTF8.TryGetBytes(element, bytes, out int count) && count < LongestElement && TryReplace(bytes[..count], rewritten))
                continue;
            foreach (Rune rune in element.EnumerateRunes())
            {
                if (!TryReplace(bytes[..rune.EncodeToUtf8(bytes)], rewritten))
                    rewritten.AppendRune(rune.Value);
            }
        }
        return rewritten.ToString();
    }

    /// <summary>Appends the replacement of the shortest key that begins the bytes.</summary>
    private bool TryReplace(ReadOnlySpan<byte> bytes, StringBuilder destination)
    {
        // A unit: bits 0-7 its label, bit 8 whether it has a leaf, bits 9-30 the way to its children; a leaf's bits 0-30 are its value.
        uint at = Offset(_units[0]);
        foreach (byte label in bytes)
        {
            at ^= label;
            if (label == 0 || at >= _units.Length || (_units[at] & 0x800000FF) != label)
                return false;
            uint unit = _units[at];
            at ^= Offset(unit);
            if ((unit >> 8 & 1) == 0)
                continue;
            uint start = at < _units.Length ? _units[at] & 0x7FFFFFFF : uint.MaxValue;
            if (start >= _replacements.Length)
                return false;
            var replacement = _replacements.AsSpan((int)start);
            int end = replacement.IndexOf((byte)0);
            destination.Append(Encoding.UTF8.GetString(end < 0 ? replacement : replacement[..end]));
            return true;
        }
        return false;
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 1 << 9) >> 6);
}
