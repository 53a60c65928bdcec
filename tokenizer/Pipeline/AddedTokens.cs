using System.Buffers;
using System.Text;
using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers.Pipeline;

/// <summary>A token that is found in the text before anything else is done to it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">What is looked for, not empty.</param>
/// <param name="IsSpecial">Whether it is a control token.</param>
/// <param name="IsSingleWord">Whether it counts only where no letter, mark or digit touches it.</param>
/// <param name="TakesSpaceBefore">Whether blanks before it belong to it.</param>
/// <param name="TakesSpaceAfter">Whether blanks after it belong to it.</param>
internal sealed record AddedToken(
    int Id, string Text, bool IsSpecial, bool IsSingleWord, bool TakesSpaceBefore, bool TakesSpaceAfter);

/// <summary>Finds added tokens: from left to right, at each place the longest.</summary>
internal sealed class AddedTokens
{
    private const CharacterClass WordClasses = CharacterClass.Letter | CharacterClass.Number | CharacterClass.Mark;

    /// <summary>A tree of the tokens' characters: from a node along a character to a node; 0 is the root.</summary>
    private readonly Dictionary<(int Node, char Character), int> _edges = [];
    private readonly Dictionary<int, AddedToken> _endings = [];
    private readonly SearchValues<char> _firsts;

    public AddedTokens(IEnumerable<AddedToken> tokens)
    {
        foreach (var token in tokens)
        {
            int node = 0;
            foreach (char character in token.Text)
            {
                if (!_edges.TryGetValue((node, character), out int next))
                    _edges.Add((node, character), next = _edges.Count + 1);
                node = next;
            }
            _endings[node] = token;
        }
        _firsts = SearchValues.Create([.. _edges.Keys.Where(edge => edge.Node == 0).Select(edge => edge.Character)]);
    }

    /// <summary>Cuts a text into added tokens and what lies between them.</summary>
    public List<Fragment> Cut(ReadOnlySpan<char> text, bool parseSpecial)
    {
        var fragments = new List<Fragment>();
        int done = 0;
        for (int at = 0; text[at..].IndexOfAny(_firsts) is >= 0 and int skipped;)
        {
            at += skipped;
            if (Longest(text, at, parseSpecial) is not { } token)
            {
                at++;
                continue;
            }
            int start = at;
            int end = at + token.Text.Length;
            while (token.TakesSpaceBefore && start > done && char.IsWhiteSpace(text[start - 1]))
                start--;
            while (token.TakesSpaceAfter && end < text.Length && char.IsWhiteSpace(text[end]))
                end++;
            if (done < start)
                fragments.Add(new(done, start - done, -1));
            fragments.Add(new(start, 0, token.Id));
            done = at = end;
        }
        if (done < text.Length)
            fragments.Add(new(done, text.Length - done, -1));
        return fragments;
    }

    private AddedToken? Longest(ReadOnlySpan<char> text, int at, bool parseSpecial)
    {
        AddedToken? longest = null;
        int node = 0;
        for (int i = at; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (_endings.TryGetValue(node, out var token) && (parseSpecial || !token.IsSpecial)
                && !(token.IsSingleWord && TouchesWord(text, at, i + 1)))
                longest = token;
        }
        return longest;
    }

    private static bool TouchesWord(ReadOnlySpan<char> text, int start, int end)
    {
        Rune.DecodeLastFromUtf16(text[..start], out Rune before, out _);
        Rune.DecodeFromUtf16(text[end..], out Rune after, out _);
        return start > 0 && IsWord(before) || end < text.Length && IsWord(after);

        static bool IsWord(Rune rune) => rune.Value == '_' || (CharacterClasses.Of(rune.Value) & WordClasses) != 0;
    }
}
