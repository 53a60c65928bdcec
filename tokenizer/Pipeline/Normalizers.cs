using System.Globalization;
using System.Text;
using Pure.Tokenizers.PreTokenizers;
using Pure.Tokenizers.Unicode;

namespace Pure.Tokenizers.Pipeline;

/// <summary>A step that rewrites a text before it is cut (a <c>normalizer</c> of <c>tokenizer.json</c>).</summary>
internal abstract class Normalizer
{
    public abstract string Apply(string text);
}

/// <summary>A Unicode normalization form.</summary>
internal sealed class FormNormalizer(NormalizationForm form) : Normalizer
{
    public override string Apply(string text) => Normalization.Apply(text, form);
}

/// <summary>Rewrites or drops each code point on its own.</summary>
/// <param name="rewrite">The code point in the place of another; -1 drops it.</param>
internal sealed class MappingNormalizer(Func<int, int> rewrite) : Normalizer
{
    public override string Apply(string text)
    {
        var rewritten = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            int codePoint = rewrite(rune.Value);
            if (codePoint >= 0)
                rewritten.AppendRune(codePoint);
        }
        return rewritten.ToString();
    }

    /// <summary>SentencePiece's <c>nmt</c> rules: some controls go, unusual blanks become blanks.</summary>
    public static int Nmt(int codePoint) => codePoint switch
    {
        (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F => -1,
        0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => ' ',
        _ => codePoint,
    };
}

/// <summary>Lower case, character by character, without regard to a language.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    public override string Apply(string text)
    {
        if (text.Contains('\u0130'))
            text = text.Replace("\u0130", "i\u0307", StringComparison.Ordinal);
        return text.ToLowerInvariant();
    }
}

/// <summary>Puts something before every text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override string Apply(string text) => text.Length > 0 ? prefix + text : text;
}

/// <summary>Puts something in the place of every match.</summary>
internal sealed class ReplaceNormalizer(Matcher matcher, string replacement) : Normalizer
{
    public override string Apply(string text)
    {
        var matches = new List<(int Start, int End)>();
        matcher.Find(text, 0, text.Length, matches);
        if (matches.Count == 0)
            return text;
        Growth.Check((long)matches.Count * replacement.Length, text.Length, "A replacement");
        var replaced = new StringBuilder(text.Length);
        int at = 0;
        foreach (var (start, end) in matches)
        {
            replaced.Append(text, at, start - at).Append(replacement);
            at = end;
        }
        return replaced.Append(text, at, text.Length - at).ToString();
    }
}

/// <summary>Drops blanks at the ends of a text.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override string Apply(string text)
    {
        text = left ? text.TrimStart() : text;
        return right ? text.TrimEnd() : text;
    }
}

/// <summary>Spells a text in the <see cref="ByteAlphabet"/>.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override string Apply(string text)
    {
        var spelt = new StringBuilder(text.Length);
        ByteAlphabet.Spell(text, spelt);
        return spelt.ToString();
    }
}

/// <summary>What BERT does to a text: drops controls, sets ideographs apart, takes accents off, and writes lower
/// case.</summary>
internal sealed class BertNormalizer(bool cleansText, bool isolatesIdeographs, bool stripsAccents, bool lowercases) : Normalizer
{
    private static readonly LowercaseNormalizer Lowercase = new();

    public override string Apply(string text)
    {
        var cleaned = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            int codePoint = rune.Value;
            if (cleansText && (codePoint == 0xFFFD || IsControl(rune)))
                continue;
            if (cleansText && CharacterClasses.Of(codePoint) == CharacterClass.Space)
                cleaned.Append(' ');
            else if (isolatesIdeographs && IsIdeograph(codePoint))
                cleaned.Append(' ').AppendRune(codePoint).Append(' ');
            else
                cleaned.AppendRune(codePoint);
        }
        text = cleaned.ToString();
        if (stripsAccents)
        {
            text = Normalization.Apply(text, NormalizationForm.FormD);
            if (text.AsSpan().ContainsAnyInRange('\u0300', char.MaxValue))
                text = WithoutAccents.Apply(text);
        }
        return lowercases ? Lowercase.Apply(text) : text;
    }

    private static readonly MappingNormalizer WithoutAccents = new(static codePoint =>
        CharUnicodeInfo.GetUnicodeCategory(codePoint) == UnicodeCategory.NonSpacingMark ? -1 : codePoint);

    /// <summary>Controls other than tab and line breaks, and whatever is unassigned, private or formatting.</summary>
    private static bool IsControl(Rune rune) => rune.Value is not ('\t' or '\n' or '\r')
        && Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned;

    private static bool IsIdeograph(int codePoint) => codePoint is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F)
        or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}

/// <summary>One step after the other.</summary>
internal sealed class NormalizerSequence(Normalizer[] steps) : Normalizer
{
    public override string Apply(string text)
    {
        int original = text.Length;
        foreach (var step in steps)
        {
            text = step.Apply(text);
            Growth.Check(text.Length, original, "The normalizer");
        }
        return text;
    }
}

internal static class RuneAppending
{
    public static StringBuilder AppendRune(this StringBuilder text, int codePoint)
    {
        Span<char> units = stackalloc char[2];
        return text.Append(units[..new Rune(codePoint).EncodeToUtf16(units)]);
    }
}
