using System.Buffers;
using System.Text;

namespace Pure.Tokenizers;

/// <summary>A stretch of the text, or a special token that stands in it.</summary>
/// <param name="Start">Where the stretch begins, in UTF-16 units.</param>
/// <param name="Length">Its length; 0 for a token.</param>
/// <param name="Token">The token's id, or -1 for a stretch of text.</param>
internal readonly record struct Fragment(int Start, int Length, int Token);

/// <summary>
/// Finds special tokens in text. As in llama.cpp, the longest token takes all its places first, then the next longest
/// those that remain; tokens of kind user-defined are found even when the caller does not want special tokens parsed.
/// </summary>
internal sealed class SpecialTokens
{
    /// <summary>Longest first.</summary>
    private readonly Special[] _specials;

    /// <summary>A tree of the tokens' characters: from a node along a character to a node; 0 is the root.</summary>
    private readonly Dictionary<(int Node, char Character), int> _edges = [];

    /// <summary>The token (an index into <see cref="_specials"/>) that ends at a node.</summary>
    private readonly Dictionary<int, int> _endings = [];

    private readonly SearchValues<char> _firsts;

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="dropsBlanksAfter">Whether blanks after a token with that text are dropped.</param>
    public SpecialTokens(Vocabulary vocabulary, Func<string, bool> dropsBlanksAfter)
    {
        _specials =
        [
            .. from id in Enumerable.Range(0, vocabulary.Size)
               let kind = vocabulary.Kind(id)
               where kind is TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown
               let text = vocabulary.Text(id)
               orderby Encoding.UTF8.GetByteCount(text) descending
               select new Special(id, text, kind == TokenKind.UserDefined, dropsBlanksAfter(text)),
        ];
        for (int i = 0; i < _specials.Length; i++)
        {
            int node = 0;
            foreach (char character in _specials[i].Text)
            {
                if (!_edges.TryGetValue((node, character), out int next))
                    _edges.Add((node, character), next = _edges.Count + 1);
                node = next;
            }
            _endings.Add(node, i);
        }
        _firsts = SearchValues.Create([.. _specials.Select(special => special.Text[0]).Distinct()]);
    }

    /// <summary>Cuts a text into special tokens and what lies between them.</summary>
    public List<Fragment> Cut(ReadOnlySpan<char> text, bool parseSpecial)
    {
        var places = new List<Place>();
        if (FindPresent(text) is { } present)
        {
            bool[] taken = new bool[text.Length];
            for (int i = 0; i < _specials.Length; i++)
            {
                if (present[i] && (parseSpecial || _specials[i].IsUserDefined))
                    TakePlaces(text, _specials[i], taken, places);
            }
            places.Sort((one, other) => one.Start.CompareTo(other.Start));
        }

        var fragments = new List<Fragment>(2 * places.Count + 1);
        int start = 0;
        foreach (var place in places)
        {
            if (start < place.Start)
                fragments.Add(new(start, place.Start - start, -1));
            fragments.Add(new(place.Start, 0, place.Token));
            start = place.End;
        }
        if (start < text.Length)
            fragments.Add(new(start, text.Length - start, -1));
        return fragments;
    }

    /// <summary>Gives a token, from left to right, the places where it stands and no longer one has taken a character.</summary>
    private static void TakePlaces(ReadOnlySpan<char> text, Special special, Span<bool> taken, List<Place> places)
    {
        for (int at = 0; text[at..].IndexOf(special.Text) is >= 0 and int skipped;)
        {
            at += skipped;
            int end = at + special.Text.Length;
            if (taken[at])
            {
                int run = taken[at..].IndexOf(false);
                at = run < 0 ? text.Length : at + run;
                continue;
            }
            // What is taken here is at least as long as this token, so it covers the first character or the last.
            if (taken[end - 1])
            {
                at++;
                continue;
            }
            while (special.DropsBlanksAfter && end < text.Length && !taken[end] && IsBlank(text[end]))
                end++;
            taken[at..end].Fill(true);
            places.Add(new(at, end, special.Id));
            at = end;
        }
    }

    /// <summary>C's <c>isspace</c>.</summary>
    private static bool IsBlank(char character) => character is ' ' or (>= '\t' and <= '\r');

    /// <summary>Which of the tokens occur in the text at all; null if none. This keeps vocabularies with thousands of special
    /// tokens from being searched one by one.</summary>
    private bool[]? FindPresent(ReadOnlySpan<char> text)
    {
        bool[]? present = null;
        for (int at = 0; text[at..].IndexOfAny(_firsts) is >= 0 and int skipped;)
        {
            at += skipped;
            int node = 0;
            for (int i = at; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
            {
                if (_endings.TryGetValue(node, out int special))
                    (present ??= new bool[_specials.Length])[special] = true;
            }
            at++;
        }
        return present;
    }

    /// <summary>Where a token stands, with the blanks after it that it drops.</summary>
    private readonly record struct Place(int Start, int End, int Token);

    private readonly record struct Special(int Id, string Text, bool IsUserDefined, bool DropsBlanksAfter);
}
