using System.Text;
using Pure.Chat;
using Pure.Chat.Templates;
using Pure.Tokenizers;

namespace Pure.Serve.Commands;

/// <summary>
/// A conversation with a model. Each turn renders all messages; what the session has read of the prompt already is not read again.
/// </summary>
internal sealed class ChatConversation : IDisposable
{
    private readonly ModelTemplate _template;
    private readonly Tokenizer _tokenizer;
    private readonly TextSession _session;
    private readonly List<ChatMessage> _messages = [];
    private string _read = ""; // the text whose tokens the session holds

    /// <param name="model">Who answers.</param>
    /// <param name="template">Makes the prompts.</param>
    /// <param name="contextLength">Most tokens the conversation can have.</param>
    internal ChatConversation(LanguageModel model, ModelTemplate template, int contextLength)
    {
        _template = template;
        _tokenizer = model.Tokenizer;
        _session = model.CreateSession(contextLength);
    }

    /// <summary>All turns, a system message first.</summary>
    internal IReadOnlyList<ChatMessage> Messages => _messages;

    /// <summary>How many tokens the last turn had to read; those of earlier turns that the session still had are not among them.</summary>
    internal int TokensRead { get; private set; }

    /// <summary>Sets the system message, or takes it away where it is empty; what was said stays.</summary>
    internal void SetSystem(string text)
    {
        if (_messages is [{ Role: "system" }, ..])
            _messages.RemoveAt(0);
        if (text.Length > 0)
            _messages.Insert(0, new ChatMessage("system", text));
    }

    /// <summary>Forgets what was said; the system message stays.</summary>
    internal void Reset() => _messages.RemoveAll(message => message.Role != "system");

    /// <summary>Goes on from other messages.</summary>
    internal void Replace(IEnumerable<ChatMessage> messages)
    {
        ChatMessage[] others = [.. messages];
        _messages.Clear();
        _messages.AddRange(others);
    }

    /// <summary>
    /// Says something and streams the answer. A cancelled answer stays in the conversation as far as it was written; where
    /// something fails before the answer begins, nothing was said.
    /// </summary>
    /// <exception cref="TemplateException">The template refuses the conversation.</exception>
    /// <exception cref="Pure.Engine.InvalidRequestException">The conversation does not fit the context.</exception>
    internal StopReason? Say(string text, TextOptions options, Action<string> put, CancellationToken cancellation)
    {
        _messages.Add(new ChatMessage("user", text));
        TextCompletion completion;
        string prompt;
        int start;
        try
        {
            prompt = _template.Render(_messages);
            bool continues = _read.Length > 0 && prompt.Length > _read.Length && prompt.StartsWith(_read, StringComparison.Ordinal);
            if (!continues)
                _session.Clear();
            start = _session.Length;
            completion = _session.GenerateAsync(continues ? prompt[_read.Length..] : prompt, options, cancellation);
        }
        catch
        {
            _messages.RemoveAt(_messages.Count - 1);
            throw;
        }

        TokensRead = completion.PromptTokens.Count;
        _read = "";
        var answer = new StringBuilder();
        var shown = new StreamingDecoder(_tokenizer, renderSpecial: true, continuesText: true);
        var shownText = new StringBuilder();
        int length = start + completion.PromptTokens.Count;
        Read(completion, piece =>
        {
            if (piece.Token is { } token)
            {
                shownText.Append(shown.Append(token.Id));
                length++;
            }
            if (piece.Text.Length == 0)
                return;
            answer.Append(piece.Text);
            put(piece.Text);
        });
        string written = answer.ToString();
        _messages.Add(new ChatMessage("assistant", written));
        // However the answer ended, the session goes on from it if its tokens are those of the text, all and no others: not
        // where it stopped within a character, wrote a token that no text shows, or was cancelled while it read the prompt.
        string end = completion.EndToken is { } token ? _tokenizer.TokenText(token) : "";
        bool isWhole = _session.Length == length + (end.Length > 0 ? 1 : 0) && shown.Flush().Length == 0;
        if (isWhole && shownText.Equals(written))
            _read = prompt + written + end;
        return completion.StopReason;
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private static void Read(TextCompletion completion, Action<TextPiece> put) => ReadAsync(completion, put).GetAwaiter().GetResult();

    private static async Task ReadAsync(TextCompletion completion, Action<TextPiece> put)
    {
        try
        {
            await foreach (TextPiece piece in completion.ReadPiecesAsync().ConfigureAwait(false))
                put(piece);
        }
        catch (OperationCanceledException)
        {
            // Stopped by the user; StopReason says so.
        }
    }
}
