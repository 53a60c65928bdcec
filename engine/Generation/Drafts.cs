using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// The logits of a generation that guesses ahead. One pass reads the last token and the guesses after it; the logits of each stay
/// here until the sampler asks for them, which it does as long as it chose what was guessed.
/// </summary>
internal sealed class Drafts
{
    // Most passes without a guess: in hundreds of tokens few guesses are wasted, and a quotation is noticed within a line.
    private const int LongestRest = 32;

    private readonly PromptLookup _lookup;
    private readonly int[] _draft; // [most]
    private readonly float[] _logits; // [most, vocabulary]: after each guess
    private readonly int _vocabulary;
    private int _first; // position of the first guess
    private int _guesses; // of the last pass
    private int _accepted; // of these
    private int _next; // most guesses of the next pass
    private int _rest; // passes left without guesses
    private int _nextRest; // passes without guesses after the next that was in vain
    private DraftCounts _counts;

    internal Drafts(Session session, int most)
    {
        _vocabulary = session.Model.Info.VocabularySize;
        _lookup = new PromptLookup(session.ContextLength);
        _draft = new int[most];
        _next = most;
        _nextRest = 1;
        _logits = new float[(long)most * _vocabulary];
    }

    internal DraftCounts Counts => _counts;

    /// <summary>Counts a token that was chosen as it had been guessed.</summary>
    internal void Accept()
    {
        _accepted++;
        _counts = _counts with { Accepted = _counts.Accepted + 1 };
    }

    /// <summary>
    /// The logits after the session's last token, from a pass that read it as a guess or else from a new pass; the caller holds the gate.
    /// </summary>
    /// <param name="session">The session; at most its last token is unread.</param>
    /// <param name="wanted">Tokens that may still be written, at least one: guessing as many would read one in vain.</param>
    internal ReadOnlySpan<float> Next(Session session, int wanted)
    {
        int position = session.Length;
        if (session.IsRead)
            return _logits.AsSpan((position - _first - 1) * _vocabulary, _vocabulary);

        int most = Math.Min(Trust(), Math.Min(wanted - 1, session.ContextLength - position));
        ReadOnlySpan<int> draft = _draft.AsSpan(0, _lookup.Propose(session.Tokens, _draft.AsSpan(0, most)));
        Logits logits = session.ReadAhead(draft);
        _first = position;
        _guesses = draft.Length;
        _accepted = 0;
        for (int guess = 0; guess < draft.Length; guess++)
            logits[guess + 1].CopyTo(_logits.AsSpan(guess * _vocabulary, _vocabulary));
        if (draft.Length > 0)
            _counts = _counts with { Passes = _counts.Passes + 1, Drafted = _counts.Drafted + draft.Length };
        return logits[0];
    }

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
