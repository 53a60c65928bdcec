namespace Pure.Tokenizers.Pipeline;

/// <summary>
/// Finds the tokens with which a text begins. The tokens are sorted; each further character narrows the range of those that
/// still agree, so a search stops as soon as no token goes on, however long the text is.
/// </summary>
internal sealed class TokenTree
{
    private readonly string[] _texts;
    private readonly int[] _ids;

    /// <summary>Where the tokens with a first character begin; the last entry is their number.</summary>
    private readonly Dictionary<char, (int First, int Last)> _firsts = [];

    /// <param name="tokens">The tokens, none empty and none twice.</param>
    public TokenTree(IEnumerable<(string Text, int Id)> tokens)
    {
        (string Text, int Id)[] sorted = [.. tokens.OrderBy(token => token.Text, StringComparer.Ordinal)];
        _texts = [.. sorted.Select(token => token.Text)];
        _ids = [.. sorted.Select(token => token.Id)];
        for (int first = 0, last; first < _texts.Length; first = last)
        {
            last = End(first, _texts.Length, 0, _texts[first][0]);
            _firsts.Add(_texts[first][0], (first, last));
        }
    }

    /// <summary>Begins a search.</summary>
    public Search From() => new(this);

    /// <summary>Where the tokens from <paramref name="low"/> on that have, at an index, a character up to
    /// <paramref name="character"/> end.</summary>
    private int End(int low, int high, int index, char character)
    {
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_texts[middle].Length <= index || _texts[middle][index] <= character)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>The tokens that begin with the characters given so far.</summary>
    public struct Search(TokenTree tree)
    {
        private int _first;
        private int _last;
        private int _length;

        /// <summary>Goes one character on.</summary>
        /// <param name="character">The next character.</param>
        /// <param name="id">The token that consists of exactly the characters so far, or -1.</param>
        /// <returns>Whether some token begins with them.</returns>
        public bool Advance(char character, out int id)
        {
            id = -1;
            if (_length == 0)
            {
                if (!tree._firsts.TryGetValue(character, out var range))
                    return false;
                (_first, _last) = range;
            }
            else
            {
                // A text sorts before all that it begins, so the one that has ended here, if any, is the first.
                int last = tree.End(_first, _last, _length, character);
                _first = character == 0 ? SkipEnded() : tree.End(_first, last, _length, (char)(character - 1));
                _last = last;
            }
            _length++;
            if (_first >= _last)
                return false;
            if (tree._texts[_first].Length == _length)
                id = tree._ids[_first];
            return true;
        }

        private readonly int SkipEnded() => tree._texts[_first].Length == _length ? _first + 1 : _first;
    }
}
