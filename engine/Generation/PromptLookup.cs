using System.Numerics;

namespace Pure.Engine.Generation;

/// <summary>
/// Guesses that a text goes on as it did where its last tokens stood before: the longest run of four to two last tokens that has an
/// earlier place, its latest one, and the tokens from there on.
/// </summary>
/// <remarks>
/// Prompt lookup decoding (Saxena 2023, github.com/apoorvumang/prompt-lookup-decoding). Each token costs a store in each table and
/// each guess a look into them, however long the text; nothing is allocated after construction.
/// </remarks>
internal sealed class PromptLookup : DraftSource
{
    private const int Shortest = 2;
    private const int Longest = 4;

    // [run length - Shortest][slots]: end of the latest run with the slot's hash; 0 for none. A slot may tell of another run, or of
    // tokens that the session has forgotten since: so the tokens themselves are compared before one is believed.
    private readonly int[][] _ends;
    private readonly int _shift;
    private int _next = Shortest; // first end that is not in the tables

    internal PromptLookup(int contextLength)
    {
        uint slots = BitOperations.RoundUpToPowerOf2((uint)Math.Min(2L * contextLength, 1 << 30));
        _shift = 64 - BitOperations.Log2(slots);
        _ends = new int[Longest - Shortest + 1][];
        for (int table = 0; table < _ends.Length; table++)
            _ends[table] = new int[slots];
    }

    /// <summary>Guesses what follows the tokens: as many as fit, or none.</summary>
    internal override int Propose(ReadOnlySpan<int> tokens, Span<int> draft)
    {
        for (; _next < tokens.Length; _next++) // the last runs are looked up before they are stored: they must not find themselves
        {
            for (int length = Shortest; length <= Math.Min(Longest, _next); length++)
                Slot(tokens.Slice(_next - length, length)) = _next;
        }

        for (int length = Math.Min(Longest, tokens.Length - 1); length >= Shortest; length--)
        {
            ReadOnlySpan<int> last = tokens[^length..];
            int end = Slot(last);
            if (end == 0 || !tokens.Slice(end - length, length).SequenceEqual(last))
                continue;

            // Where the place is so near that its continuation runs into the guesses, these repeat with its distance as the period.
            for (int index = 0; index < draft.Length; index++)
                draft[index] = end + index < tokens.Length ? tokens[end + index] : draft[end + index - tokens.Length];
            return draft.Length;
        }

        return 0;
    }

    private ref int Slot(ReadOnlySpan<int> run)
    {
        ulong hash = 0;
        foreach (int token in run)
            hash = (hash + (uint)token + 1) * 0x9E3779B97F4A7C15; // 2^64 / golden ratio: the upper bits depend on all the lower ones
        return ref _ends[run.Length - Shortest][hash >> _shift];
    }
}
