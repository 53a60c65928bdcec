namespace Pure.Engine.Generation.Grammars;

/// <summary>The bytes of all tokens of a vocabulary, as a tree in which a walk meets every beginning that tokens share once.</summary>
public sealed class TokenBytes
{
    private readonly byte[][] _bytes; // by id; empty for tokens without text
    private readonly int[] _ids; // in the order of their bytes
    private readonly byte[] _values; // of the tree's nodes, each before those below it
    private readonly int[] _depths; // 1 for the first byte of a token
    private readonly int[] _ends; // the node after those below
    private readonly int[] _firstIds; // [nodes + 1]: the first of the tokens through or at a node, as an index of ids

    /// <summary>Sorts the tokens.</summary>
    /// <param name="tokens">
    /// By id, the bytes of a token's text; <see langword="null"/> or none for tokens that have no text, such as those that steer the model. A grammar
    /// never allows the latter.
    /// </param>
    public TokenBytes(IReadOnlyList<byte[]?> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        _bytes = [.. tokens.Select(bytes => bytes ?? [])];
        _ids = [.. Enumerable.Range(0, _bytes.Length).Where(id => _bytes[id].Length > 0)];
        Array.Sort(_ids, (one, other) => _bytes[one].AsSpan().SequenceCompareTo(_bytes[other]));

        var values = new List<byte>();
        var depths = new List<int>();
        var ends = new List<int>();
        var firstIds = new List<int>();
        var path = new List<int>(); // the nodes of the last token's bytes
        byte[] last = [];
        for (int at = 0; at < _ids.Length; at++)
        {
            byte[] bytes = _bytes[_ids[at]];
            int shared = bytes.AsSpan().CommonPrefixLength(last);
            Leave(shared);
            for (int depth = shared; depth < bytes.Length; depth++)
            {
                path.Add(values.Count);
                values.Add(bytes[depth]);
                depths.Add(depth + 1);
                ends.Add(0);
                firstIds.Add(at);
            }

            last = bytes;
        }

        Leave(0);
        firstIds.Add(_ids.Length);
        (_values, _depths, _ends, _firstIds) = ([.. values], [.. depths], [.. ends], [.. firstIds]);
        LongestToken = depths.DefaultIfEmpty().Max();

        void Leave(int depth)
        {
            while (path.Count > depth)
            {
                ends[path[^1]] = values.Count;
                path.RemoveAt(path.Count - 1);
            }
        }
    }

    /// <summary>Tokens of the vocabulary.</summary>
    public int Count => _bytes.Length;

    /// <summary>Bytes of the longest token.</summary>
    internal int LongestToken { get; }

    /// <summary>Nodes of the tree.</summary>
    internal int NodeCount => _values.Length;

    /// <summary>The bytes of a token; none where it has no text.</summary>
    internal ReadOnlySpan<byte> this[int id] => (uint)id < (uint)_bytes.Length ? _bytes[id] : [];

    /// <summary>The last byte on the way to a node of the tree.</summary>
    internal byte Value(int node) => _values[node];

    /// <summary>Bytes on the way to a node.</summary>
    internal int Depth(int node) => _depths[node];

    /// <summary>The first node that is not below this one.</summary>
    internal int End(int node) => _ends[node];

    /// <summary>The tokens whose last byte is at a node: those before the next node's, which is the first below it or the one after.</summary>
    internal ReadOnlySpan<int> Tokens(int node) => _ids.AsSpan(_firstIds[node].._firstIds[node + 1]);
}
