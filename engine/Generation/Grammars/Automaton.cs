namespace Pure.Engine.Generation.Grammars;

/// <summary>What a node of an <see cref="Automaton"/> does.</summary>
internal enum NodeKind : byte
{
    /// <summary>Goes where the top of the stack says; with an empty stack the text may end.</summary>
    Return,

    /// <summary>Reads a byte of a set.</summary>
    Read,

    /// <summary>Goes several ways at once.</summary>
    Split,

    /// <summary>Enters a rule, and comes back to the next node.</summary>
    Call,

    /// <summary>Goes through its body a number of times that the stack counts, and then to the next node.</summary>
    Count,
}

/// <summary>A node of an <see cref="Automaton"/>.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Next">The node after it, where there is one.</param>
/// <param name="Body">Where a rule or a body begins; of a read, the index of its set.</param>
/// <param name="Least">Fewest times through the body.</param>
/// <param name="Most">Most times; -1 for any number.</param>
internal readonly record struct Node(NodeKind Kind, int Next = 0, int Body = 0, int Least = 0, int Most = 0);

/// <summary>
/// A grammar as a nondeterministic pushdown automaton over bytes. Nodes know how high the stack must be allowed to grow on the way to the end, so
/// that no way is entered that a bounded stack would cut off: what is begun can be finished.
/// </summary>
/// <remarks>
/// Rules become networks that call one another (Woods 1970, "Transition network grammars for natural language analysis"); a call at the end of a
/// rule leaves nothing on the stack. Counted repetition is one node and a counter on the stack, whatever the count.
/// </remarks>
internal sealed class Automaton
{
    /// <summary>The node that ends every rule.</summary>
    internal const int ReturnNode = 0;

    private const int MostNodes = 400_000;

    private readonly List<Node> _nodes = [new Node(NodeKind.Return)];
    private readonly List<int[]> _ways = []; // of splits, by Body
    private readonly List<ByteSet> _sets = [];
    private readonly Dictionary<ByteSet, int> _setIds = [];
    private readonly Dictionary<Node, int> _known = []; // equal nodes are one
    private readonly Dictionary<(Expression Expression, int Next), int> _compiled = [];
    private readonly Dictionary<Rule, int> _entries = [];
    private readonly Queue<Rule> _uncompiled = [];
    private readonly ExpressionAnalysis _analysis;
    private readonly Node[] _final;
    private readonly int[] _heights;

    /// <param name="root">What the whole text is.</param>
    /// <param name="mostDepth">Most entries of the stack.</param>
    /// <param name="what">What it is called in messages.</param>
    /// <exception cref="InvalidRequestException">It is left-recursive, too large, or matches no text within the stack.</exception>
    internal Automaton(Expression root, int mostDepth, string what)
    {
        _analysis = new ExpressionAnalysis(root);
        MostDepth = mostDepth;
        Start = Compile(root, ReturnNode);
        while (_uncompiled.TryDequeue(out Rule? rule))
        {
            // The entry stands in the callers already, so the first node of the rule goes through it.
            _nodes[_entries[rule]] = Way([Compile(rule.Definition, ReturnNode)]);
        }

        _final = [.. _nodes];
        _heights = AutomatonHeights.Of(_final, _ways);
        if (_heights[Start] > mostDepth)
        {
            throw new InvalidRequestException(_heights[Start] == AutomatonHeights.Endless
                ? $"{what} allows no text at all: whatever is begun can never be finished."
                : $"{what} nests at least {_heights[Start]} deep, but {mostDepth} is the most; write it flatter.");
        }

        (Classes, ClassCount) = ByteClasses();
    }

    /// <summary>Where the text begins.</summary>
    internal int Start { get; }

    /// <summary>Most entries of the stack.</summary>
    internal int MostDepth { get; }

    /// <summary><c>[256]</c>: bytes of one class are in the same sets, and lead to the same states.</summary>
    internal byte[] Classes { get; }

    /// <summary>How many classes there are.</summary>
    internal int ClassCount { get; }

    /// <summary>A node.</summary>
    internal ref readonly Node this[int node] => ref _final[node];

    /// <summary>The ways of a split.</summary>
    internal int[] Ways(in Node split) => _ways[split.Body];

    /// <summary>The bytes of a read.</summary>
    internal ByteSet Set(in Node read) => _sets[read.Body];

    /// <summary>Whether the end can be reached from a node with that many entries on the stack.</summary>
    internal bool Fits(int node, int depth) => _heights[node] <= MostDepth - depth;

    private Node Way(int[] ways)
    {
        _ways.Add(ways);
        return new Node(NodeKind.Split, Body: _ways.Count - 1);
    }

    /// <summary>The node from which an expression is read and then <paramref name="next"/> comes.</summary>
    private int Compile(Expression expression, int next)
    {
        if (_compiled.TryGetValue((expression, next), out int known))
            return known;
        int node = expression switch
        {
            Expression.OneByte one => Add(new Node(NodeKind.Read, next, SetId(one.Set))),
            Expression.InOrder sequence => Compile(sequence.Parts, next),
            Expression.OneOf choice => Split([.. choice.Options.Select(option => Compile(option, next))]),
            Expression.Repeated repeated => Compile(repeated, next),
            Expression.Reference { Rule: var rule } => next == ReturnNode ? Entry(rule) : Add(new Node(NodeKind.Call, next, Entry(rule))),
            _ => throw new InvalidOperationException($"{expression.GetType().Name} is no kind of expression."),
        };
        return _compiled[(expression, next)] = node;
    }

    private int Compile(IReadOnlyList<Expression> parts, int next)
    {
        for (int at = parts.Count - 1; at >= 0; at--)
            next = Compile(parts[at], next);
        return next;
    }

    private int Compile(Expression.Repeated repeated, int next)
    {
        // A body that reads nothing would not count: so often less, if need be.
        bool isNullable = _analysis.IsNullable(repeated.Body);
        Expression body = _analysis.NonEmpty(repeated.Body);
        int least = isNullable ? 0 : repeated.Least;
        if (repeated.Most == 1)
            return Split([Compile(body, next), next]);
        if (repeated.Most is null && least <= 1)
        {
            int loop = Reserve();
            int entry = Compile(body, loop);
            _nodes[loop] = Way([entry, next]);
            return least == 1 ? entry : loop;
        }

        return Add(new Node(NodeKind.Count, next, Compile(body, ReturnNode), least, repeated.Most ?? -1));
    }

    private int Entry(Rule rule)
    {
        if (!_entries.TryGetValue(rule, out int entry))
        {
            _entries[rule] = entry = Reserve();
            _uncompiled.Enqueue(rule);
        }

        return entry;
    }

    private int Split(int[] ways)
    {
        int[] distinct = [.. ways.Distinct()];
        if (distinct.Length == 1)
            return distinct[0];
        int node = Reserve();
        _nodes[node] = Way(distinct);
        return node;
    }

    private int Add(Node node)
    {
        if (!_known.TryGetValue(node, out int known))
        {
            _known[node] = known = Reserve();
            _nodes[known] = node;
        }

        return known;
    }

    private int Reserve()
    {
        if (_nodes.Count == MostNodes)
            throw new InvalidRequestException($"The grammar becomes an automaton of more than {MostNodes} nodes; make it smaller.");
        _nodes.Add(default);
        return _nodes.Count - 1;
    }

    private int SetId(ByteSet set)
    {
        if (!_setIds.TryGetValue(set, out int id))
        {
            _setIds[set] = id = _sets.Count;
            _sets.Add(set);
        }

        return id;
    }

    /// <summary>All bytes in one class, which each set in turn divides.</summary>
    private (byte[] Classes, int Count) ByteClasses()
    {
        byte[] classes = new byte[256];
        int count = 1;
        foreach (ByteSet set in _sets)
        {
            var divided = new Dictionary<(byte Class, bool IsIn), byte>();
            for (int value = 0; value < 256; value++)
            {
                (byte, bool) part = (classes[value], set.Contains((byte)value));
                if (!divided.TryGetValue(part, out byte name))
                    divided[part] = name = (byte)divided.Count;
                classes[value] = name;
            }

            count = divided.Count;
        }

        return (classes, count);
    }
}
