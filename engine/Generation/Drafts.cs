using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// The logits of a generation that guesses ahead. One pass reads the last token and the guesses after it; the logits of each stay
/// here until the sampler asks for them, which it does as long as it chose what was guessed.
/// </summary>
internal sealed class Drafts : IDisposable
{
    private readonly Session _session;
    private readonly DraftSource _source;
    private readonly int[] _draft; // [most]
    private readonly float[] _logits; // [most, vocabulary]: after each guess
    private readonly int _vocabulary;
    private readonly DraftBudget _budget;
    private int _first; // position of the first guess
    private int _guesses; // of the next pass, then of the last

    /// <exception cref="InvalidRequestException">The machine has not the memory for the draft model's cache.</exception>
    internal Drafts(Session session, GenerationOptions options)
    {
        _session = session;
        _vocabulary = session.Model.Info.VocabularySize;
        _draft = new int[options.DraftTokens];
        _budget = new DraftBudget(options.DraftTokens);
        _logits = new float[(long)options.DraftTokens * _vocabulary];
        _source = options.Speculation switch
        {
            Speculation.DraftModel => new DraftModel(options.DraftModel!, session),
            Speculation.NextTokens => new NextTokens(session.Model, session.Sequence),
            _ => new PromptLookup(session.ContextLength),
        };
    }

    internal DraftCounts Counts => _budget.Counts;

    /// <summary>Refuses options that cannot be served.</summary>
    /// <exception cref="InvalidRequestException">It cannot.</exception>
    internal static void Check(Model model, GenerationOptions options)
    {
        int rows = model.Options.MaxBatchRows;
        if (options.DraftTokens < 1 || options.DraftTokens >= rows)
        {
            throw new InvalidRequestException(
                $"Drafts of {options.DraftTokens} tokens were asked for; ask for at least 1 and fewer than the model's largest batch, {rows}.");
        }

        if (options.Speculation == Speculation.NextTokens && !model.PredictsNextTokens)
        {
            throw new InvalidRequestException(
                $"{model.File.Path} has no layer that predicts further tokens ('nextn' in GGUF files); guess by lookup or with a draft model.");
        }

        if (options.Speculation != Speculation.DraftModel)
            return;
        int vocabulary = model.Info.VocabularySize;
        if (options.DraftModel is not { } draft)
            throw new InvalidRequestException("A draft model is to guess, but none was given; give a smaller model of the same vocabulary.");
        if (Math.Abs(draft.Info.VocabularySize - vocabulary) > DraftModel.MostPadding)
        {
            throw new InvalidRequestException(
                $"The draft model {draft.File.Path} has {draft.Info.VocabularySize} tokens, expected the model's {vocabulary}; take a draft model of the same vocabulary.");
        }
    }

    /// <summary>Counts a token that was chosen as it had been guessed.</summary>
    internal void Accept() => _budget.Accept();

    /// <summary>Sees a pass over the prompt; the caller holds the gate.</summary>
    internal void Follow() => _source.Follow(_session.Model, _session.Pass, _session.Tokens);

    /// <summary>Guesses what the next pass is to read, if there is one: the caller holds no gate, for another model may guess.</summary>
    /// <param name="wanted">Tokens that may still be written, at least one: guessing as many would read one in vain.</param>
    internal void Guess(int wanted)
    {
        if (_session.IsRead)
            return;
        int most = Math.Min(_budget.Next(), Math.Min(wanted - 1, _session.ContextLength - _session.Length));
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
        _budget.Read(_guesses);
        for (int guess = 0; guess < _guesses; guess++)
            logits[guess + 1].CopyTo(_logits.AsSpan(guess * _vocabulary, _vocabulary));
        ReadOnlySpan<float> first = logits[0];
        Follow();
        return first;
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();
}
