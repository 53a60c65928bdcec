using System.Text;
using Pure.Tokenizers.Pipeline;

namespace Pure.Tokenizers.SentencePieces;

/// <summary>What SentencePiece does to a text before it is cut: compiled rules, the longest key first; blanks at the ends
/// and repeated ones go; one is put in front; all are written as <c>▁</c>.</summary>
internal sealed class SentencePieceNormalizer(
    Charsmap? rules, bool removesExtraBlanks, bool addsBlank, bool escapesBlanks) : Normalizer
{
    public const char Blank = '▁';

    public override string Apply(string text)
    {
        if (rules is not null)
            text = Rewrite(text, rules);
        var written = new StringBuilder(text.Length + 1);
        char blank = escapesBlanks ? Blank : ' ';
        bool wasBlank = removesExtraBlanks;
        foreach (char c in removesExtraBlanks ? text.AsSpan().TrimEnd(' ') : text)
        {
            if (c == ' ' && wasBlank)
                continue;
            if (written.Length == 0 && addsBlank)
                written.Append(blank);
            written.Append(c == ' ' ? blank : c);
            wasBlank = removesExtraBlanks && c == ' ';
        }
        return written.ToString();
    }

    private static string Rewrite(string text, Charsmap rules)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var rewritten = new StringBuilder(text.Length);
        for (int at = 0; at < bytes.Length;)
        {
            Growth.Check(rewritten.Length, text.Length, "The normalizer");
            int length = rules.Find(bytes.AsSpan(at), takesLongest: true, out var replacement);
            if (length > 0)
            {
                rewritten.Append(Encoding.UTF8.GetString(replacement));
            }
            else
            {
                Rune.DecodeFromUtf8(bytes.AsSpan(at), out Rune rune, out length);
                rewritten.AppendRune(rune.Value);
            }
            at += length;
        }
        return rewritten.ToString();
    }
}
