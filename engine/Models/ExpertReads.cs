namespace Pure.Engine.Models;

/// <summary>
/// How often the experts that layers asked for were where they are computed, and what had to be brought there: into memory from the file, or onto a
/// device from memory.
/// </summary>
/// <param name="Found">Were there.</param>
/// <param name="Coming">Were being read, because they had been guessed.</param>
/// <param name="Missed">Had to be read.</param>
/// <param name="Guessed">Experts read, or about to be, because a layer before guessed them.</param>
/// <param name="GuessedRight">Those of them that were asked for.</param>
/// <param name="Bytes">Bytes read.</param>
public readonly record struct ExpertReads(long Found, long Coming, long Missed, long Guessed, long GuessedRight, long Bytes)
{
    /// <summary>Experts that layers asked for.</summary>
    public long Asked => Found + Coming + Missed;

    /// <summary>The share that was there, from 0 to 1; NaN before anything was asked for.</summary>
    public double HitRate => (double)Found / Asked;

    /// <summary>The share of guesses that were asked for, from 0 to 1; NaN before anything was guessed.</summary>
    public double GuessRate => (double)GuessedRight / Guessed;

    /// <summary>Those of two places together.</summary>
    public static ExpertReads operator +(ExpertReads a, ExpertReads b) => new(
        a.Found + b.Found, a.Coming + b.Coming, a.Missed + b.Missed, a.Guessed + b.Guessed, a.GuessedRight + b.GuessedRight, a.Bytes + b.Bytes);
}
