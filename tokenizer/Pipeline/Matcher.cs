using System.Text;
using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers.Pipeline;

/// <summary>Finds the places where a step of the pipeline applies.</summary>
internal abstract class Matcher
{
    /// <summary>Whether it may give up, and so should not be asked for ever.</summary>
    public virtual bool HasTimeLimit => false;

    /// <summary>Adds the matches within <paramref name="text"/> from <paramref name="start"/> to <paramref name="end"/>, from
    /// left to right, none overlapping another; nothing outside that stretch is seen.</summary>
    public abstract void Find(string text, int start, int end, List<(int Start, int End)> matches);
}

/// <summary>Finds a fixed text.</summary>
internal sealed class TextMatcher(string sought) : Matcher
{
    public override void Find(string text, int start, int end, List<(int Start, int End)> matches)
    {
        while (sought.Length > 0 && text.AsSpan(start, end - start).IndexOf(sought, StringComparison.Ordinal) is >= 0 and int skipped)
        {
            matches.Add((start + skipped, start + skipped + sought.Length));
            start += skipped + sought.Length;
        }
    }
}

/// <summary>Finds single characters, or runs of them.</summary>
internal sealed class CharacterMatcher(Func<int, CharacterClass, bool> isMember, bool takesRuns = false) : Matcher
{
    public override void Find(string text, int start, int end, List<(int Start, int End)> matches)
    {
        int at = start;
        int run = -1;
        foreach (Rune rune in text.AsSpan(start, end - start).EnumerateRunes())
        {
            bool found = isMember(rune.Value, CharacterClasses.Of(rune.Value));
            if (found && takesRuns && run < 0)
                run = at;
            if (found && !takesRuns)
                matches.Add((at, at + rune.Utf16SequenceLength));
            if (!found && run >= 0)
            {
                matches.Add((run, at));
                run = -1;
            }
            at += rune.Utf16SequenceLength;
        }
        if (run >= 0)
            matches.Add((run, end));
    }
}

/// <summary>Finds a pattern that is written by hand.</summary>
internal sealed class PatternMatcher(Pattern pattern) : Matcher
{
    public override void Find(string text, int start, int end, List<(int Start, int End)> matches)
    {
        var points = new CodePoints(text.AsSpan(start, end - start));
        points.Find(pattern, start, matches);
        points.Return();
    }
}
