namespace Pure.Engine.Generation.Grammars;

/// <summary>
/// An entry of an automaton's stack, with those below it. Equal stacks are one object, so that many states share their lower parts.
/// </summary>
/// <param name="id">A number of its own.</param>
/// <param name="node">The node to return to; of a count, its node.</param>
/// <param name="count">Which time through the body of a count this is, from 1; 0 for the return from a rule.</param>
/// <param name="below">The entry below, if any.</param>
internal sealed class Frame(long id, int node, int count, Frame? below)
{
    internal long Id => id;

    internal int Node => node;

    internal int Count => count;

    internal Frame? Below => below;

    /// <summary>Entries of the stack.</summary>
    internal int Depth { get; } = 1 + DepthOf(below);

    /// <summary>Entries of a stack; none for <see langword="null"/>.</summary>
    internal static int DepthOf(Frame? stack) => stack?.Depth ?? 0;

    /// <summary>A number of a stack's own; 0 for the empty one.</summary>
    internal static long IdOf(Frame? stack) => stack?.Id ?? 0;
}

/// <summary>A node that reads, with the stack there.</summary>
internal readonly record struct Configuration(int Node, Frame? Stack);

/// <summary>Where a grammar may be after some bytes: all pairs of a node and a stack. Equal states are one object.</summary>
internal sealed class GrammarState
{
    private readonly GrammarState?[] _next; // [classes]; null where it was not computed yet

    /// <param name="configurations">What may be read next, in the order of node and stack.</param>
    /// <param name="mayEnd">Whether the text may end here.</param>
    /// <param name="classes">Classes of bytes.</param>
    internal GrammarState(Configuration[] configurations, bool mayEnd, int classes)
    {
        Configurations = configurations;
        MayEnd = mayEnd;
        _next = new GrammarState?[classes];
    }

    /// <summary>Where a byte leads that the grammar does not allow.</summary>
    internal static GrammarState Dead { get; } = new([], false, 0);

    internal Configuration[] Configurations { get; }

    /// <summary>Whether the text may end here.</summary>
    internal bool MayEnd { get; }

    /// <summary>The state after a byte of a class; <see langword="null"/> where it was not computed yet.</summary>
    internal GrammarState? Next(int byteClass) => Volatile.Read(ref _next[byteClass]);

    /// <summary>Remembers the state after a byte of a class.</summary>
    internal void Remember(int byteClass, GrammarState next) => Volatile.Write(ref _next[byteClass], next);
}
