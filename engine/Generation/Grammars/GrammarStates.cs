namespace Pure.Engine.Generation.Grammars;

/// <summary>
/// The states of a grammar, made as texts reach them: a byte moves all configurations of a state at once, so that time is linear in the text
/// whatever the grammar. Any number of threads may use it.
/// </summary>
internal sealed class GrammarStates
{
    private const int MostConfigurations = 1 << 14; // of one state
    private const int MostSeen = 1 << 16; // on the way to one state
    private const int MostStates = 1 << 14; // kept at a time
    private const int MostFrames = 1 << 17;

    private readonly Automaton _automaton;
    private readonly byte[] _representatives; // [classes]
    private readonly Lock _lock = new(); // over all that follows
    private readonly Dictionary<(int Node, int Count, long Below), Frame> _frames = [];
    private readonly Dictionary<Configuration[], GrammarState>[] _states; // [may end]
    private readonly HashSet<(int Node, long Stack)> _seen = [];
    private readonly Stack<Configuration> _open = [];
    private readonly List<Configuration> _reached = [];
    private long _lastFrame;
    private bool _mayEnd;
    private GrammarState? _start;

    internal GrammarStates(Automaton automaton)
    {
        _automaton = automaton;
        _representatives = new byte[automaton.ClassCount];
        for (int value = 0; value < 256; value++)
            _representatives[automaton.Classes[value]] = (byte)value;
        var comparer = new ConfigurationComparer();
        _states = [new(comparer), new(comparer)];
    }

    /// <summary>The state before the first byte.</summary>
    internal GrammarState Start
    {
        get
        {
            lock (_lock)
            {
                if (_start is null)
                {
                    Begin();
                    Close(_automaton.Start, null);
                    _start = End();
                }

                return _start;
            }
        }
    }

    /// <summary>The state after a byte; <see cref="GrammarState.Dead"/> where it is not allowed.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="value">The byte.</param>
    /// <param name="work">What may still be done, in configurations looked at.</param>
    /// <exception cref="InvalidRequestException">The grammar is too ambiguous.</exception>
    internal GrammarState Step(GrammarState state, byte value, ref int work)
    {
        if (ReferenceEquals(state, GrammarState.Dead))
            return state;
        int byteClass = _automaton.Classes[value];
        return state.Next(byteClass) ?? Compute(state, byteClass, ref work);
    }

    private GrammarState Compute(GrammarState state, int byteClass, ref int work)
    {
        byte value = _representatives[byteClass];
        lock (_lock)
        {
            Begin();
            foreach (Configuration configuration in state.Configurations)
            {
                ref readonly Node read = ref _automaton[configuration.Node];
                if (_automaton.Set(read).Contains(value))
                    Close(read.Next, configuration.Stack);
            }

            work -= state.Configurations.Length + _seen.Count;
            if (work < 0)
                throw new InvalidRequestException(
                    "The grammar is too ambiguous: finding the next tokens takes too long; write it with fewer ways to the same text.");
            GrammarState next = End();
            state.Remember(byteClass, next);
            return next;
        }
    }

    private void Begin()
    {
        _seen.Clear();
        _open.Clear();
        _reached.Clear();
        _mayEnd = false;
        if (_frames.Count > MostFrames || _states[0].Count + _states[1].Count > MostStates)
        {
            // Texts keep the states they are in; what is computed from now on is as new.
            _frames.Clear();
            _states[0].Clear();
            _states[1].Clear();
            _start = null;
        }
    }

    /// <summary>Adds all that can be read from a node on.</summary>
    private void Close(int start, Frame? stack)
    {
        Open(start, stack);
        while (_open.TryPop(out Configuration at))
        {
            ref readonly Node node = ref _automaton[at.Node];
            switch (node.Kind)
            {
                case NodeKind.Read:
                    _reached.Add(at);
                    break;
                case NodeKind.Split:
                    foreach (int way in _automaton.Ways(node))
                        OpenIfFits(way, at.Stack);
                    break;
                case NodeKind.Call:
                    Open(node.Body, Push(node.Next, 0, at.Stack));
                    break;
                case NodeKind.Count:
                    if (node.Least == 0)
                        OpenIfFits(node.Next, at.Stack);
                    if (_automaton.Fits(node.Body, Frame.DepthOf(at.Stack) + 1))
                        Open(node.Body, Push(at.Node, 1, at.Stack));
                    break;
                case NodeKind.Return when at.Stack is null:
                    _mayEnd = true;
                    break;
                case NodeKind.Return:
                    Return(at.Stack);
                    break;
            }
        }
    }

    private void Return(Frame frame)
    {
        if (frame.Count == 0)
        {
            Open(frame.Node, frame.Below);
            return;
        }

        ref readonly Node node = ref _automaton[frame.Node];
        if (frame.Count >= node.Least)
            Open(node.Next, frame.Below);
        if (node.Most < 0)
            Open(node.Body, Push(frame.Node, Math.Min(frame.Count + 1, node.Least), frame.Below));
        else if (frame.Count < node.Most)
            Open(node.Body, Push(frame.Node, frame.Count + 1, frame.Below));
    }

    private void OpenIfFits(int node, Frame? stack)
    {
        if (_automaton.Fits(node, Frame.DepthOf(stack)))
            Open(node, stack);
    }

    private void Open(int node, Frame? stack)
    {
        if (_seen.Add((node, Frame.IdOf(stack))))
            _open.Push(new Configuration(node, stack));
        if (_seen.Count > MostSeen)
            throw TooAmbiguous(MostSeen);
    }

    private Frame Push(int node, int count, Frame? below)
    {
        (int, int, long) key = (node, count, Frame.IdOf(below));
        if (!_frames.TryGetValue(key, out Frame? frame))
            _frames[key] = frame = new Frame(++_lastFrame, node, count, below);
        return frame;
    }

    private GrammarState End()
    {
        if (_reached.Count == 0 && !_mayEnd)
            return GrammarState.Dead;
        if (_reached.Count > MostConfigurations)
            throw TooAmbiguous(MostConfigurations);

        Configuration[] configurations = [.. _reached];
        Array.Sort(configurations, static (one, other) => one.Node != other.Node
            ? one.Node.CompareTo(other.Node)
            : Frame.IdOf(one.Stack).CompareTo(Frame.IdOf(other.Stack)));
        Dictionary<Configuration[], GrammarState> states = _states[_mayEnd ? 1 : 0];
        if (!states.TryGetValue(configurations, out GrammarState? state))
            states[configurations] = state = new GrammarState(configurations, _mayEnd, _automaton.ClassCount);
        return state;
    }

    private static InvalidRequestException TooAmbiguous(int ways) =>
        new($"The grammar is too ambiguous: more than {ways} ways lead to the same text; write it with fewer.");

    private sealed class ConfigurationComparer : IEqualityComparer<Configuration[]>
    {
        public bool Equals(Configuration[]? one, Configuration[]? other) =>
            one!.Length == other!.Length && one.AsSpan().SequenceEqual(other);

        public int GetHashCode(Configuration[] configurations)
        {
            var hash = new HashCode();
            foreach (Configuration configuration in configurations)
            {
                hash.Add(configuration.Node);
                hash.Add(Frame.IdOf(configuration.Stack));
            }

            return hash.ToHashCode();
        }
    }
}
