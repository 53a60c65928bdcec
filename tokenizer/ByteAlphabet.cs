using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Pure.Tokenizers;

/// <summary>
/// The 256 characters in which a byte-level vocabulary spells bytes, so that every token is printable text: the visible
/// Latin-1 characters stand for themselves, and the other 68 bytes, in order, for U+0100 and up (a blank is <c>Ġ</c>).
/// Source: <c>bytes_to_unicode</c> of GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners").
/// </summary>
internal static class ByteAlphabet
{
    /// <summary>No character of the alphabet is above this one.</summary>
    private const int LastCharacter = 0x143;

    private static readonly char[] Characters = new char[256];
    private static readonly short[] Bytes = new short[LastCharacter + 1];

    static ByteAlphabet()
    {
        Array.Fill(Bytes, (short)-1);
        int next = 0x100;
        for (int value = 0; value < 256; value++)
        {
            bool isVisible = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            char character = (char)(isVisible ? value : next++);
            Characters[value] = character;
            Bytes[character] = (short)value;
        }
    }

    public static char Spell(byte value) => Characters[value];

    /// <summary>Appends the spelling of a text's bytes in UTF-8.</summary>
    public static void Spell(ReadOnlySpan<char> text, StringBuilder destination)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            foreach (byte value in bytes[..rune.EncodeToUtf8(bytes)])
                destination.Append(Characters[value]);
        }
    }

    /// <summary>The bytes that <paramref name="token"/> spells; false if some character is not of the alphabet, as in
    /// added tokens like <c>&lt;｜User｜&gt;</c>.</summary>
    public static bool TryRead(string token, [NotNullWhen(true)] out byte[]? bytes)
    {
        byte[] read = new byte[token.Length];
        bytes = null;
        for (int i = 0; i < token.Length; i++)
        {
            int value = token[i] <= LastCharacter ? Bytes[token[i]] : -1;
            if (value < 0)
                return false;
            read[i] = (byte)value;
        }
        bytes = read;
        return true;
    }
}
