using System.Text;

namespace Pure.Tokenizers.MicrosoftML;

/// <summary>The tokens of a text, and where each of them ends.</summary>
internal sealed class Alignment
{
    /// <summary>For each token, whether no character is unfinished after it.</summary>
    private readonly bool[] _endsCharacter;

    /// <param name="tokenizer">What encodes.</param>
    /// <param name="text">The text.</param>
    /// <param name="withSpecial">Whether names of control tokens stand for these tokens.</param>
    public Alignment(Tokenizer tokenizer, ReadOnlySpan<char> text, bool withSpecial)
    {
        Ids = tokenizer.Encode(text, addSpecial: false, parseSpecial: withSpecial);
        Ends = new int[Ids.Length];
        _endsCharacter = new bool[Ids.Length];
        var state = new RenderState(tokenizer, continuesText: false);
        Decoder decoder = Encoding.UTF8.GetDecoder();
        var decoded = new StringBuilder(text.Length);
        for (int i = 0; i < Ids.Length; i++)
        {
            Append(tokenizer.Render(Ids[i], withSpecial, ref state), flush: false);
            (Ends[i], _endsCharacter[i]) = (decoded.Length, !decoder.HasRest());
        }
        Append(state.Flush(), flush: true);
        if (Ids.Length > 0)
            (Ends[^1], _endsCharacter[^1]) = (decoded.Length, true);
        NormalizedText = decoded.Equals(text) ? null : decoded.ToString();

        void Append(ReadOnlySpan<byte> bytes, bool flush)
        {
            Span<char> characters = bytes.Length <= 256 ? stackalloc char[bytes.Length + 4] : new char[bytes.Length + 4];
            decoded.Append(characters[..decoder.GetChars(bytes, characters, flush)]);
        }
    }

    /// <summary>The tokens.</summary>
    public int[] Ids { get; }

    /// <summary>For each token, the number of characters up to its end, unfinished ones not counted.</summary>
    public int[] Ends { get; }

    /// <summary>The text that the tokens spell, if it is not the text that was encoded.</summary>
    public string? NormalizedText { get; }

    /// <summary>Where a token starts; one past the last token, where the text ends.</summary>
    public int Start(int index) => index == 0 ? 0 : Ends[index - 1];

    /// <summary>How many tokens from the start, but no more than these, spell whole characters.</summary>
    public int WholeTokens(int most)
    {
        int count = Math.Clamp(most, 0, Ids.Length);
        while (count > 0 && !_endsCharacter[count - 1])
            count--;
        return count;
    }

    /// <summary>The first of the last tokens, no more than these, that spell whole characters.</summary>
    public int FirstOfLast(int most)
    {
        int first = Ids.Length - Math.Clamp(most, 0, Ids.Length);
        while (first > 0 && first < Ids.Length && !_endsCharacter[first - 1])
            first++;
        return first;
    }
}
