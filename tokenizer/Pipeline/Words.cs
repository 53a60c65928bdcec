using System.Diagnostics;
using System.Text;

namespace Pure.Tokenizers.Pipeline;

/// <summary>A text and the words into which it has been cut so far. Steps cut words further and may rewrite them.</summary>
/// <param name="text">The text, at first one word.</param>
/// <param name="isStart">Whether it begins where the whole input begins.</param>
internal sealed class Words(string text, bool isStart)
{
    private readonly int _original = text.Length;
    private List<(int Start, int End)> _next = [];

    public string Text { get; private set; } = text;

    /// <summary>The words, none empty, in order; what lies between them has been dropped.</summary>
    public List<(int Start, int End)> Spans { get; private set; } = text.Length > 0 ? [(0, text.Length)] : [];

    /// <summary>Whether the first word still begins where the whole input begins.</summary>
    public bool IsAtStart(int start) => isStart && start == 0;

    /// <summary>Cuts every word at what a matcher finds in it.</summary>
    public void Cut(Matcher matcher, Behaviour behaviour, bool invert = false)
    {
        _next.Clear();
        var matches = new List<(int Start, int End)>();
        var parts = new List<(int Start, int End, bool IsMatch)>();
        long started = Stopwatch.GetTimestamp();
        foreach (var (start, end) in Spans)
        {
            if (matcher.HasTimeLimit && Stopwatch.GetElapsedTime(started) > ExpressionMatcher.Limit)
                throw new TokenizerException(
                    $"A text of {Text.Length} characters was not cut into words in {ExpressionMatcher.Limit.TotalSeconds} seconds; shorten it.");
            matches.Clear();
            matcher.Find(Text, start, end, matches);
            parts.Clear();
            int at = start;
            foreach (var match in matches)
            {
                if (at < match.Start)
                    parts.Add((at, match.Start, invert));
                if (match.Start < match.End)
                    parts.Add((match.Start, match.End, !invert));
                at = match.End;
            }
            if (at < end)
                parts.Add((at, end, invert));
            Join(parts, behaviour, _next);
        }
        (Spans, _next) = (_next, Spans);
    }

    /// <summary>Rewrites every word.</summary>
    /// <param name="append">Adds the new form of a word, given its old one and whether the input begins with it.</param>
    public void Rewrite(RewriteWord append)
    {
        var text = new StringBuilder(Text.Length + 16);
        _next.Clear();
        foreach (var (start, end) in Spans)
        {
            int newStart = text.Length;
            append(Text.AsSpan(start, end - start), IsAtStart(start), text);
            Growth.Check(text.Length, _original, "The pre-tokenizer");
            if (text.Length > newStart)
                _next.Add((newStart, text.Length));
        }
        Text = text.ToString();
        (Spans, _next) = (_next, Spans);
    }

    private static void Join(List<(int Start, int End, bool IsMatch)> parts, Behaviour behaviour, List<(int Start, int End)> words)
    {
        int first = words.Count;
        switch (behaviour)
        {
            case Behaviour.MergedWithNext:
                for (int i = 0; i < parts.Count; i++)
                {
                    bool leads = parts[i].IsMatch && i + 1 < parts.Count && !parts[i + 1].IsMatch;
                    words.Add((parts[i].Start, leads ? parts[i + 1].End : parts[i].End));
                    i += leads ? 1 : 0;
                }
                break;
            default:
                bool wasMatch = false;
                foreach (var (start, end, isMatch) in parts)
                {
                    bool joins = words.Count > first && behaviour switch
                    {
                        Behaviour.MergedWithPrevious => isMatch && !wasMatch,
                        Behaviour.Contiguous => isMatch == wasMatch,
                        _ => false,
                    };
                    if (joins)
                        words[^1] = (words[^1].Start, end);
                    else if (!isMatch || behaviour != Behaviour.Removed)
                        words.Add((start, end));
                    wasMatch = isMatch;
                }
                break;
        }
    }
}

/// <summary>Appends the new form of a word.</summary>
internal delegate void RewriteWord(ReadOnlySpan<char> word, bool isAtStart, StringBuilder text);

/// <summary>What becomes of a match: a word of its own, part of a neighbour, or nothing.</summary>
internal enum Behaviour
{
    Isolated,
    Removed,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}
