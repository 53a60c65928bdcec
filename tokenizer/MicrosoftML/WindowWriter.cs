using System.Text;
using MLTokenizer = Microsoft.ML.Tokenizers.Tokenizer;

namespace Pure.Tokenizers.MicrosoftML;

/// <summary>
/// Writes a stream of tokens with a library that decodes whole texts only: what a token adds is the difference between the text
/// of a window of tokens with it and without it.
/// </summary>
/// <remarks>
/// <para>Bytes that do not yet make a character decode as one U+FFFD at the end of the text, so a text's last U+FFFD waits for the
/// next token: it may become a character. All before it is final.</para>
/// <para>The window may start anywhere, even within a character: what is wrong at its start is wrong with and without the new
/// token, so long as it ends with the whole of an unfinished character. That is at most three bytes, and a token has one at
/// least. Before it stand tokens of some other text, so that none of its tokens counts as the first one.</para>
/// </remarks>
internal sealed class WindowWriter : TokenWriter
{
    private const char Replacement = '\uFFFD';
    private const int Shortest = 4;
    private const int Longest = 8;

    /// <summary>More than a token spells.</summary>
    private const int MostCharacters = 1024;

    private readonly BorrowedTokenizer _tokenizer;
    private readonly MLTokenizer _inner;
    private readonly int[] _before;
    private readonly List<int> _window = [];

    /// <summary>How many characters of the window's text are written.</summary>
    private int _written;

    /// <summary>Whether there was more than bytes: SentencePiece drops a blank from the first token that is none.</summary>
    private bool _hasText;

    /// <param name="tokenizer">Whose tokens they are.</param>
    /// <param name="inner">What decodes them.</param>
    /// <param name="before">The tokens of some text.</param>
    /// <param name="continuesText">Whether text came before.</param>
    public WindowWriter(BorrowedTokenizer tokenizer, MLTokenizer inner, int[] before, bool continuesText)
    {
        (_tokenizer, _inner, _before) = (tokenizer, inner, before);
        if (continuesText)
            StartAfterText();
    }

    public override ReadOnlySpan<byte> Append(int id)
    {
        if (_tokenizer.Kind(id) is TokenKind.Unused or TokenKind.Undefined)
            return [];
        // The library would write some control tokens, and leave out others.
        if (_tokenizer.Kind(id) is TokenKind.Control or TokenKind.Unknown)
        {
            string rest = TakeText(isEnd: true);
            StartAfterText();
            return Encoding.UTF8.GetBytes(rest + _tokenizer.TokenText(id));
        }

        _hasText |= _tokenizer.Kind(id) != TokenKind.Byte;
        _window.Add(id);
        byte[] bytes = Encoding.UTF8.GetBytes(TakeText(isEnd: false));
        if (_window.Count > Longest + _before.Length)
        {
            _window.RemoveRange(0, _window.Count - Shortest);
            if (_hasText)
                _window.InsertRange(0, _before);
            _written = Final(Decode());
        }
        return bytes;
    }

    public override ReadOnlySpan<byte> Flush() => Encoding.UTF8.GetBytes(TakeText(isEnd: true));

    private string TakeText(bool isEnd)
    {
        string text = Decode();
        int final = isEnd ? text.Length : Final(text);
        string taken = final > _written ? text[_written..final] : "";
        _written = Math.Max(_written, final);
        return taken;
    }

    private void StartAfterText()
    {
        _window.Clear();
        _window.AddRange(_before);
        _hasText = true;
        _written = Decode().Length;
    }

    private string Decode()
    {
        try
        {
            return _inner.Decode(_window);
        }
        catch (InvalidOperationException)
        {
            // What the library itself says of tokenizers of the caller's own that end within a character.
            Span<char> text = new char[_window.Count * MostCharacters];
            _inner.Decode(_window, text, out _, out int length);
            return string.Concat(text[..length], [Replacement]);
        }
    }

    private static int Final(string text) => text.Length - (text is [.., Replacement] ? 1 : 0);
}
