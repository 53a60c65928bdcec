using System.Runtime.CompilerServices;
using System.Text;
using Pure.Engine.Generation;
using Pure.Tokenizers;

namespace Pure.Chat;

/// <summary>
/// The text that continues a prompt, written as it is read: <c>await foreach</c> gives the text, <see cref="ReadPiecesAsync"/> the
/// tokens with it. It can be read once.
/// </summary>
public sealed class TextCompletion : IAsyncEnumerable<string>
{
    private readonly Completion _completion;
    private readonly StreamingDecoder _decoder;
    private readonly StopStrings _stops;
    private readonly Session? _owned;

    /// <param name="completion">The tokens.</param>
    /// <param name="decoder">Turns them into text.</param>
    /// <param name="stops">Ends the text.</param>
    /// <param name="seed">The seed in use.</param>
    /// <param name="promptTokens">The prompt's ids.</param>
    /// <param name="owned">A session to dispose at the end.</param>
    internal TextCompletion(
        Completion completion, StreamingDecoder decoder, StopStrings stops, ulong seed, IReadOnlyList<int> promptTokens, Session? owned)
    {
        _completion = completion;
        _decoder = decoder;
        _stops = stops;
        _owned = owned;
        Seed = seed;
        PromptTokens = promptTokens;
    }

    /// <summary>The seed that repeats this text.</summary>
    public ulong Seed { get; }

    /// <summary>The token ids of the prompt.</summary>
    public IReadOnlyList<int> PromptTokens { get; }

    /// <summary>Why the text ended; <see langword="null"/> while it has not, or if it failed.</summary>
    public StopReason? StopReason => _stops.Found is not null
        ? Chat.StopReason.StopString
        : _completion.FinishReason switch
        {
            FinishReason.EndToken => Chat.StopReason.EndOfText,
            FinishReason.MaxTokens => Chat.StopReason.MaxTokens,
            FinishReason.ContextFull => Chat.StopReason.ContextFull,
            FinishReason.Cancelled => Chat.StopReason.Cancelled,
            _ => null,
        };

    /// <summary>The stop string that ended it, where <see cref="StopReason.StopString"/> is the reason.</summary>
    public string? StopString => _stops.Found;

    /// <summary>The token that ended it, where <see cref="StopReason.EndOfText"/> is the reason. A session holds it after the text.</summary>
    public int? EndToken => _completion.EndToken;

    /// <inheritdoc cref="Completion.CachedTokens"/>
    public int CachedTokens => _completion.CachedTokens;

    /// <summary>What was done so far and how long it took.</summary>
    public GenerationTimings Timings => _completion.Timings;

    /// <summary>What came of guessing ahead; all 0 where <see cref="TextOptions.Speculation"/> was not asked for.</summary>
    public DraftCounts Drafts => _completion.Drafts;

    /// <summary>Streams the text. No piece is empty, and none ends within a character.</summary>
    /// <exception cref="InvalidOperationException">It was read before.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public async IAsyncEnumerator<string> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (TextPiece piece in ReadPiecesAsync(cancellationToken).ConfigureAwait(false))
        {
            if (piece.Text.Length > 0)
                yield return piece.Text;
        }
    }

    /// <summary>The whole text, once it has ended.</summary>
    /// <inheritdoc cref="GetAsyncEnumerator" path="/exception"/>
    public async Task<string> ReadAsync(CancellationToken cancellationToken = default)
    {
        var text = new StringBuilder();
        await foreach (string piece in this.WithCancellation(cancellationToken).ConfigureAwait(false))
            text.Append(piece);
        return text.ToString();
    }

    /// <summary>Streams the text token by token.</summary>
    /// <inheritdoc cref="GetAsyncEnumerator" path="/exception"/>
    public async IAsyncEnumerable<TextPiece> ReadPiecesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // A second reader fails here, before it could dispose what the first one reads.
        IAsyncEnumerator<GeneratedToken> tokens = _completion.GetAsyncEnumerator(cancellationToken);
        try
        {
            while (await tokens.MoveNextAsync().ConfigureAwait(false))
            {
                GeneratedToken token = tokens.Current;
                yield return new TextPiece(_stops.Append(_decoder.Append(token.Id)), token);
                if (_stops.Found is not null)
                    yield break;
            }

            string rest = _stops.Append(_decoder.Flush()) + _stops.Flush();
            if (rest.Length > 0)
                yield return new TextPiece(rest, null);
        }
        finally
        {
            await tokens.DisposeAsync().ConfigureAwait(false);
            _owned?.Dispose();
        }
    }
}
