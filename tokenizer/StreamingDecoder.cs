using System.Text;

namespace Pure.Tokenizers;

/// <summary>
/// Decodes a stream of tokens as they come. The texts returned, put together, are what
/// <see cref="Tokenizer.Decode(ReadOnlySpan{int}, bool)"/> makes of all the tokens, and none of them ends within a UTF-8
/// character: the bytes of an unfinished one wait for the next token. For one stream and one thread.
/// </summary>
/// <param name="tokenizer">Whose tokens they are.</param>
/// <param name="renderSpecial">Whether control and unknown tokens are written as their names, or left out.</param>
/// <param name="continuesText">Whether text came before the first token, as when a model carries a prompt on; then a
/// leading blank belongs to the text and stays.</param>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool renderSpecial = false, bool continuesText = false)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private RenderState _state = new(tokenizer, continuesText);

    /// <summary>The text that this token completes, often empty.</summary>
    public string Append(int id) => Decode(tokenizer.Render(id, renderSpecial, ref _state), flush: false);

    /// <summary>Ends the stream: U+FFFD for bytes that still wait, else nothing.</summary>
    public string Flush() => Decode(_state.Flush(), flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        int most = bytes.Length + 4;
        Span<char> characters = most <= 256 ? stackalloc char[most] : new char[most];
        return new string(characters[.._decoder.GetChars(bytes, characters, flush)]);
    }
}
