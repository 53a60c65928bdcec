using System.Buffers.Binary;
using System.Text;

namespace Pure.Tokenizers.Pipeline;

/// <summary>
/// SentencePiece's compiled rules (<c>precompiled_charsmap</c>): a double-array trie of byte sequences, whose values are
/// places in a block of replacements that end with a zero byte. Layout: the length of the trie in bytes (32 bits, little
/// endian), its units (32 bits each), the replacements. A unit: bits 0-7 its label, bit 8 whether it has a leaf, bits 9-30
/// the way to its children; a leaf's bits 0-30 are its value.
/// </summary>
internal sealed class Charsmap
{
    /// <summary>No key is longer; Unicode's longest decompositions have 18 characters, and rules undo shorter ones.</summary>
    private const int LongestKey = 64;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    private Charsmap(uint[] units, byte[] replacements) => (_units, _replacements) = (units, replacements);

    /// <param name="data">The rules.</param>
    /// <param name="error">Makes the exception that says what is wrong with them.</param>
    public static Charsmap Read(ReadOnlySpan<byte> data, Func<string, TokenizerException> error)
    {
        uint trie = data.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(data) : 0;
        if (trie == 0 || trie % 4 > 0 || trie > (uint)(data.Length - 4))
            throw error($"is damaged: its trie has {trie} bytes of {data.Length}");
        uint[] units = new uint[trie / 4];
        for (int i = 0; i < units.Length; i++)
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(data[(4 + 4 * i)..]);
        return new(units, data[(4 + (int)trie)..].ToArray());
    }

    /// <summary>Finds the shortest or the longest key that begins the bytes.</summary>
    /// <param name="bytes">UTF-8.</param>
    /// <param name="takesLongest">Which of the keys.</param>
    /// <param name="replacement">What to put in its place, in UTF-8.</param>
    /// <returns>The key's length; 0 if there is none.</returns>
    public int Find(ReadOnlySpan<byte> bytes, bool takesLongest, out ReadOnlySpan<byte> replacement)
    {
        replacement = [];
        int found = 0;
        uint at = Offset(_units[0]);
        for (int i = 0; i < bytes.Length && i < LongestKey; i++)
        {
            byte label = bytes[i];
            at ^= label;
            if (label == 0 || at >= _units.Length || (_units[at] & 0x800000FF) != label)
                break;
            uint unit = _units[at];
            at ^= Offset(unit);
            if ((unit >> 8 & 1) == 0)
                continue;
            uint start = at < _units.Length ? _units[at] & 0x7FFFFFFF : uint.MaxValue;
            if (start >= _replacements.Length)
                break;
            replacement = _replacements.AsSpan((int)start);
            int end = replacement.IndexOf((byte)0);
            replacement = end < 0 ? replacement : replacement[..end];
            found = i + 1;
            if (!takesLongest)
                break;
        }
        return found;
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 1 << 9) >> 6);
}
