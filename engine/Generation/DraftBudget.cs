namespace Pure.Engine.Generation;

/// <summary>
/// How many guesses are worth their rows: twice as many after all came true, otherwise one more than did. After a pass whose guesses were all
/// wrong come passes without any, twice as many each time: a text that only seems to repeat itself costs a few rows in all, and one that does
/// soon fills its passes. Only what came true decides, never the clock.
/// </summary>
internal sealed class DraftBudget
{
    // Most passes without a guess: in hundreds of tokens few guesses are wasted, and a quotation is noticed within a line.
    private const int LongestRest = 32;

    private readonly int _most;
    private int _guesses; // of the last pass
    private int _accepted; // of these
    private int _next; // most guesses of the next pass
    private int _rest; // passes left without guesses
    private int _nextRest = 1; // passes without guesses after the next that was in vain

    /// <param name="most">Most guesses at a time.</param>
    internal DraftBudget(int most) => (_most, _next) = (most, most);

    /// <summary>What came of it so far.</summary>
    internal DraftCounts Counts { get; private set; }

    /// <summary>Most guesses of the next pass.</summary>
    internal int Next()
    {
        if (_guesses > 0)
        {
            _next = Math.Min(_most, _accepted == _guesses ? 2 * _next : _accepted + 1);
            _rest = _accepted == 0 ? _nextRest : 0;
            _nextRest = _accepted == 0 ? Math.Min(2 * _nextRest, LongestRest) : 1;
            _guesses = 0;
        }

        if (_rest == 0)
            return _next;
        _rest--;
        return 0;
    }

    /// <summary>A pass read so many guesses.</summary>
    internal void Read(int guesses)
    {
        _guesses = guesses;
        _accepted = 0;
        if (guesses > 0)
            Counts = Counts with { Passes = Counts.Passes + 1, Drafted = Counts.Drafted + guesses };
    }

    /// <summary>A token was chosen as it had been guessed.</summary>
    internal void Accept()
    {
        _accepted++;
        Counts = Counts with { Accepted = Counts.Accepted + 1 };
    }
}
