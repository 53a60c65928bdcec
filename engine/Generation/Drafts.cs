using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// The logits of a generation that guesses ahead. One pass reads the last token and the guesses after it; the logits of each stay
/// here until the sampler asks for them, which it does as long as it chose what was guessed.
/// </summary>
internal sealed class Drafts : IDisposable
{
    // Most passes without a guess: in hundreds of tokens few guesses are wasted, and a quotation is noticed within a line.
    private const int LongestRest = 32;

    private readonly Session _session;
    private readonly DraftSource _source;
    private readonly int[] _draft; // [most]
    private readonly float[] _logits; // [most, vocabulary]: after each guess
    private readonly int _vocabulary;
    private int _first; // position of the first guess
    private int _guesses; // of the next pass, then of the last
    private int _accepted; // of these
    private int _next; // most guesses of the next pass
    private int _rest; // passes left without guesses
    private int _nextRest = 1; // passes without guesses after the next that was in vain
    private DraftCounts _counts;

    /// <exception cref="InvalidRequestException">The machine has not the memory for the draft model's cache.</exception>
    internal Drafts(Session session, GenerationOptions options)
    {
        _session = session;
        _vocabulary = session.Model.Info.VocabularySize;
        _draft = new int[options.DraftTokens];
        _next = options.DraftTokens;
        _logits = new float[(long)options.DraftTokens * _vocabulary];
        _source = options.Speculation switch
        {
            Speculation.DraftModel => new DraftModel(options.DraftModel!, session),
            Speculation.NextTokens => new NextTokens(session.Model, session.Sequence),
            _ => new PromptLookup(session.ContextLength),
        };
    }

    internal DraftCounts Counts => _counts;

    /// <summary>Refuses options that the session cannot serve.</summary>
    /// <exception cref="InvalidRequestException">It cannot.</exception>
    internal static void Check(Session session, GenerationOptions options)
    {
        int rows = session.Model.Options.MaxBatchRows;
        if (options.DraftTokens < 1 || options.DraftTokens >= rows)
        {
            throw new InvalidRequestException(
                $"Drafts of {options.DraftTokens} tokens were asked for; ask for at least 1 and fewer than the model's largest batch, {rows}.");
        }

        if (options.Speculation == Speculation.NextTokens && !session.Model.PredictsNextTokens)
        {
            throw new InvalidRequestException(
                $"{session.Model.File.Path} has no layer that predicts further tokens ('nextn' in GGUF files); guess by lookup or with a draft model.");
        }

        if (options.Speculation != Speculation.DraftModel)
            return;
        int vocabulary = session.Model.Info.VocabularySize;
        if (options.DraftModel is not { } draft)
            throw new InvalidRequestException("A draft model is to guess, but none was given; give a smaller model of the same vocabulary.");
        if (Math.Abs(draft.Info.VocabularySize - vocabulary) > DraftModel.MostPadding)
        {
            throw new InvalidRequestException(
                $"The draft model {draft.File.Path} has {draft.Info.VocabularySize} tokens, expected the model's {vocabulary}; take a draft model of the same vocabulary.");
        }
    }

    /// <summary>Counts a token that was chosen as it had been guessed.</summary>
    internal void Accept()
    {
        _accepted++;
        _counts = _counts with { Accepted = _counts.Accepted + 1 };
    }

    /// <summary>Sees a pass over the prompt; the caller holds the gate.</summary>
    internal void Follow() => _source.Follow(_session.Model, _session.Pass, _session.Tokens);

    /// <summary>Guesses what the next pass is to read, if there is one: the caller holds no gate, for another model may guess.</summary>
    /// <param name="wanted">Tokens that may still be written, at least one: guessing as many would read one in vain.</param>
    internal void Guess(int wanted)
    {
        if (_session.IsRead)
            return;
        int most = Math.Min(Trust(), Math.Min(wanted - 1, _session.ContextLength - _session.Length));
        _guesses = _source.Propose(_session.Tokens, _draft.AsSpan(0, most));
    }

    /// <summary>
    /// The logits after the session's last token, from a pass that read it as a guess or else from a new pass; the caller holds the gate.
    /// </summary>
    internal ReadOnlySpan<float> Next()
    {
        int position = _session.Length;
        if (_session.IsRead)
            return _logits.AsSpan((position - _first - 1) * _vocabulary, _vocabulary);

        Logits logits = _session.ReadAhead(_draft.AsSpan(0, _guesses));
        _first = position;
        _accepted = 0;
        for (int guess = 0; guess < _guesses; guess++)
            logits[guess + 1].CopyTo(_logits.AsSpan(guess * _vocabulary, _vocabulary));
        if (_guesses > 0)
            _counts = _counts with { Passes = _counts.Passes + 1, Drafted = _counts.Drafted + _guesses };
        ReadOnlySpan<float> first = logits[0];
        Follow();
        return first;
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    /// <summary>
    /// How many guesses are worth their rows: twice as many after all came true, otherwise one more than did. After a pass whose
    /// guesses were all wrong come passes without any, twice as many each time: a text that only seems to repeat itself costs a few
    /// rows in all, and one that does soon fills its passes. Only what came true decides, never the clock.
    /// </summary>
    private int Trust()
    {
        if (_guesses > 0)
        {
            _next = Math.Min(_draft.Length, _accepted == _guesses ? 2 * _next : _accepted + 1);
            _rest = _accepted == 0 ? _nextRest : 0;
            _nextRest = _accepted == 0 ? Math.Min(2 * _nextRest, LongestRest) : 1;
            _guesses = 0;
        }

        if (_rest == 0)
            return _next;
        _rest--;
        return 0;
    }
}
