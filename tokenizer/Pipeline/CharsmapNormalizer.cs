using System.Globalization;
using System.Text;

namespace Pure.Tokenizers.Pipeline;

/// <summary>Compiled rules as Hugging Face's library applies them: to what readers see as one character, and the shortest
/// key counts.</summary>
internal sealed class CharsmapNormalizer(Charsmap map) : Normalizer
{
    /// <summary>Text elements longer than this are taken apart, as the original does.</summary>
    private const int LongestElement = 6;

    public static CharsmapNormalizer Read(JsonNode node)
    {
        var map = node.Get("precompiled_charsmap");
        string text = map.Text();
        byte[] data = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, data, out int length))
            throw map.Error("is not base64");
        return new(Charsmap.Read(data.AsSpan(0, length), map.Error));
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

    private bool TryReplace(ReadOnlySpan<byte> bytes, StringBuilder destination)
    {
        if (map.Find(bytes, takesLongest: false, out var replacement) == 0)
            return false;
        destination.Append(Encoding.UTF8.GetString(replacement));
        return true;
    }
}
