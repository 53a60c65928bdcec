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
        List<Fragment> fragments = text.IsEmpty ? [] : [new(0, text.Length, -1)];
        bool[]? present = FindPresent(text);
        for (int i = 0; present is not null && i < _specials.Length; i++)
        {
            if (present[i] && (parseSpecial || _specials[i].IsUserDefined))
                fragments = Cut(text, fragments, _specials[i]);
        }
        return fragments;
    }

    private static List<Fragment> Cut(ReadOnlySpan<char> text, List<Fragment> fragments, Special special)
    {
        var cut = new List<Fragment>(fragments.Count + 2);
        foreach (var fragment in fragments)
        {
            int start = fragment.Start;
            int end = start + fragment.Length;
            while (start < end && text[start..end].IndexOf(special.Text) is >= 0 and int before)
            {
                if (before > 0)
                    cut.Add(new(start, before, -1));
                cut.Add(new(start + before, 0, special.Id));
                start += before + special.Text.Length;
                while (special.DropsBlanksAfter && start < end && text[start] is ' ' or (>= '\t' and <= '\r'))
                    start++;
            }
            if (start < end || fragment.Token >= 0)
                cut.Add(fragment with { Start = start, Length = end - start });
        }
        return cut;
    }

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

    private readonly record struct Special(int Id, string Text, bool IsUserDefined, bool DropsBlanksAfter);
}
