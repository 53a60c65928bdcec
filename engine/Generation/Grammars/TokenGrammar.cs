using System.Collections.Concurrent;

namespace Pure.Engine.Generation.Grammars;

/// <summary>
/// A grammar over the tokens of a vocabulary: which of them may come next. Masks are found when they are first asked for and kept, for all
/// texts that share the object.
/// </summary>
/// <param name="grammar">The texts.</param>
/// <param name="tokens">The vocabulary.</param>
public sealed class TokenGrammar(Grammar grammar, TokenBytes tokens)
{
    private const long MostMaskBytes = 32 << 20;
    private const int MostWork = 1 << 21; // for one mask

    private readonly ConcurrentDictionary<GrammarState, ulong[]> _masks = [];

    /// <summary>The texts.</summary>
    public Grammar Grammar => grammar;

    /// <summary>The vocabulary.</summary>
    public TokenBytes Tokens => tokens;

    /// <summary>Words of a mask.</summary>
    internal int MaskLength => (tokens.Count + 63) / 64;

    /// <summary>The state before the first token.</summary>
    internal GrammarState Start => grammar.States.Start;

    /// <summary>The state after a token with text that is allowed.</summary>
    internal GrammarState Advance(GrammarState state, int token) => grammar.Advance(state, tokens[token]);

    /// <summary>The tokens that are allowed in a state, one bit for each id. Those that end the text are not among them.</summary>
    /// <exception cref="InvalidRequestException">The grammar is too ambiguous.</exception>
    internal ReadOnlySpan<ulong> Mask(GrammarState state)
    {
        if (_masks.TryGetValue(state, out ulong[]? mask))
            return mask;
        mask = ComputeMask(state);
        if ((long)_masks.Count * MaskLength * sizeof(ulong) > MostMaskBytes)
            _masks.Clear();
        _masks[state] = mask;
        return mask;
    }

    /// <summary>Walks through the tree of the vocabulary's bytes with the states that they lead to.</summary>
    internal ulong[] ComputeMask(GrammarState state)
    {
        ulong[] mask = new ulong[MaskLength];
        GrammarState[] path = new GrammarState[tokens.LongestToken + 1]; // states by depth
        path[0] = state;
        GrammarStates states = grammar.States;
        int work = MostWork;
        for (int node = 0; node < tokens.NodeCount;)
        {
            int depth = tokens.Depth(node);
            GrammarState next = states.Step(path[depth - 1], tokens.Value(node), ref work);
            if (ReferenceEquals(next, GrammarState.Dead))
            {
                node = tokens.End(node);
                continue;
            }

            path[depth] = next;
            foreach (int id in tokens.Tokens(node))
                mask[id >> 6] |= 1UL << (id & 63);
            node++;
        }

        return mask;
    }
}
