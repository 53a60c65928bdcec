using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Pure.Tokenizers.Pipeline;

/// <summary>
/// Finds a regular expression that no pattern of ours covers. Files are written for Oniguruma: possessive quantifiers are
/// rewritten as atomic groups, and characters outside the Basic Multilingual Plane, of which .NET would see the halves, are
/// shown to it as a rare character of the same category. A time limit holds: .NET's engine that is linear whatever the
/// expression (<see cref="RegexOptions.NonBacktracking"/>) would be the right one, but that of .NET 10.0 overlooks matches,
/// such as all but the last of <c>\s?\p{L}+</c> in <c>"7\u3000\u2F3ENe\u1EE1's\u13FEAx"</c>.
/// </summary>
internal sealed class ExpressionMatcher : Matcher
{
    /// <summary>For all matches in a text together.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly Regex _regex;
    private readonly string _expression;

    /// <exception cref="ArgumentException">.NET does not understand the expression.</exception>
    public ExpressionMatcher(string expression)
    {
        _expression = expression;
        string translated = Possessive.Rewrite(expression);
        _regex = new Regex(translated, RegexOptions.CultureInvariant, Limit);
    }

    public override bool HasTimeLimit => true;

    public override void Find(string text, int start, int end, List<(int Start, int End)> matches)
    {
        var span = text.AsSpan(start, end - start);
        string shown = span.ContainsAnyInRange('\uD800', '\uDFFF') ? OneUnitEach(span) : span.ToString();
        bool isShorter = shown.Length < span.Length;
        int unit = start;
        int point = 0;
        long started = Stopwatch.GetTimestamp();
        try
        {
            foreach (var match in _regex.EnumerateMatches(shown))
            {
                int from = UnitAt(match.Index);
                int to = UnitAt(match.Index + match.Length);
                matches.Add((from, to));
                if (Stopwatch.GetElapsedTime(started) > Limit)
                    throw TooSlow(shown.Length);
            }
        }
        catch (RegexMatchTimeoutException)
        {
            throw TooSlow(shown.Length);
        }

        int UnitAt(int index)
        {
            if (!isShorter)
                return start + index;
            for (; point < index; point++)
                unit += char.IsHighSurrogate(text[unit]) ? 2 : 1;
            return unit;
        }
    }

    private TokenizerException TooSlow(int length) => new(
        $"The expression {Vocabulary.Quote(_expression)} took more than {Limit.TotalSeconds} seconds on a text of {length} characters; "
        + "shorten the text.");

    private static string OneUnitEach(ReadOnlySpan<char> text)
    {
        var shown = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            shown.Append(rune.IsBmp ? (char)rune.Value : Representative(Rune.GetUnicodeCategory(rune)));
        return shown.ToString();
    }

    /// <summary>A rare character of a category.</summary>
    private static char Representative(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => '\uA7AA',
        UnicodeCategory.LowercaseLetter => '\uA7FA',
        UnicodeCategory.ModifierLetter => '\uA7F8',
        UnicodeCategory.OtherLetter => '\uAADC',
        UnicodeCategory.DecimalDigitNumber => '\uA9D5',
        UnicodeCategory.LetterNumber => '\uA6E8',
        UnicodeCategory.OtherNumber => '\uA831',
        UnicodeCategory.NonSpacingMark => '\uA926',
        UnicodeCategory.SpacingCombiningMark => '\uA952',
        UnicodeCategory.DashPunctuation => '\u2E1A',
        UnicodeCategory.OtherPunctuation => '\uA8CE',
        UnicodeCategory.MathSymbol => '\u29FB',
        UnicodeCategory.CurrencySymbol => '\uA838',
        UnicodeCategory.ModifierSymbol => '\uA717',
        UnicodeCategory.OtherSymbol => '\uA828',
        UnicodeCategory.Format => '\u206A',
        UnicodeCategory.PrivateUse => '\uE0FF',
        _ => '\uFFFE',
    };
}

/// <summary>Rewrites <c>x++</c>, <c>x*+</c> and <c>x?+</c> as <c>(?&gt;x+)</c> and so on.</summary>
internal static class Possessive
{
    public static string Rewrite(string expression)
    {
        var rewritten = new StringBuilder(expression.Length + 8);
        var groups = new Stack<int>();
        int atom = 0;
        for (int at = 0; at < expression.Length;)
        {
            char c = expression[at];
            bool isPossessive = c is '+' or '*' or '?' && at + 1 < expression.Length && expression[at + 1] == '+' && atom < rewritten.Length;
            if (isPossessive)
            {
                rewritten.Insert(atom, "(?>").Append(c).Append(')');
                at += 2;
            }
            else if (c is '+' or '*' or '?')
            {
                rewritten.Append(c);
                at++;
            }
            else if (c == '{')
            {
                at = Copy(expression, at, Math.Max(expression.IndexOf('}', at), at) + 1, rewritten);
            }
            else if (c == '(')
            {
                groups.Push(rewritten.Length);
                at = Copy(expression, at, at + (at + 1 < expression.Length && expression[at + 1] == '?' ? 2 : 1), rewritten);
                atom = rewritten.Length;
            }
            else if (c == ')')
            {
                atom = groups.Count > 0 ? groups.Pop() : rewritten.Length;
                at = Copy(expression, at, at + 1, rewritten);
            }
            else
            {
                atom = rewritten.Length;
                at = Copy(expression, at, AtomEnd(expression, at), rewritten);
            }
        }
        return rewritten.ToString();
    }

    /// <summary>Where a character, an escape or a class ends.</summary>
    private static int AtomEnd(string expression, int at)
    {
        if (expression[at] == '\\')
        {
            bool hasBraces = at + 2 < expression.Length && expression[at + 1] is 'p' or 'P' or 'x' && expression[at + 2] == '{';
            return Math.Min(hasBraces ? Math.Max(expression.IndexOf('}', at), at + 1) + 1 : at + 2, expression.Length);
        }
        if (expression[at] != '[')
            return at + 1;
        int end = at + 1;
        if (end < expression.Length && expression[end] == '^')
            end++;
        if (end < expression.Length && expression[end] == ']')
            end++;
        while (end < expression.Length && expression[end] != ']')
            end += expression[end] == '\\' ? 2 : 1;
        return Math.Min(end + 1, expression.Length);
    }

    private static int Copy(string expression, int from, int to, StringBuilder destination)
    {
        to = Math.Min(to, expression.Length);
        destination.Append(expression, from, to - from);
        return to;
    }
}
