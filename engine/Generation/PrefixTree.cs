using Pure.Engine.Memory;

namespace Pure.Engine.Generation;

/// <summary>
/// Blocks of texts that were read before, by their tokens: a node is a full block, and its path from the root all tokens before. Where room is
/// short, the leaf that was used longest ago and that no sequence holds is given up first (as in Zheng et al. 2024, arXiv:2312.07104, section 3).
/// </summary>
/// <remarks>A sequence that follows a path holds all its blocks, so that no node above one in use is given up.</remarks>
internal sealed class PrefixTree(KvCache cache) : IDisposable
{
    private readonly Dictionary<string, Node> _roots = new(StringComparer.Ordinal);
    private readonly Dictionary<(Node Parent, int Hash), Node> _nodes = [];
    private long _now;

    /// <summary>Where texts of a scope begin: those of different scopes share nothing.</summary>
    internal Node Root(string scope)
    {
        if (!_roots.TryGetValue(scope, out Node? root))
            _roots[scope] = root = new Node(null, [], -1);
        return root;
    }

    /// <summary>The block of these tokens after those of a node; null where there is none.</summary>
    internal Node? Find(Node parent, ReadOnlySpan<int> tokens)
    {
        if (!_nodes.TryGetValue((parent, Hash(tokens)), out Node? node) || !tokens.SequenceEqual(node.Tokens))
            return null;
        node.LastUse = ++_now;
        return node;
    }

    /// <summary>The node of these tokens after those of another: the one there is, or a new one that holds the block given.</summary>
    /// <returns>Null where tokens of the same hash stand there.</returns>
    internal Node? FindOrAdd(Node parent, ReadOnlySpan<int> tokens, int block)
    {
        if (Find(parent, tokens) is { } found)
            return found;
        var node = new Node(parent, tokens.ToArray(), block) { LastUse = ++_now };
        if (!_nodes.TryAdd((parent, Hash(tokens)), node))
            return null;
        parent.Children++;
        cache.Keep(block);
        return node;
    }

    /// <summary>How many blocks of a text that is to begin sequences hold already.</summary>
    internal int HeldBlocks(string scope, ReadOnlySpan<int> tokens)
    {
        int held = 0;
        Node? node = Root(scope);
        for (; tokens.Length > KvCache.BlockPositions; tokens = tokens[KvCache.BlockPositions..])
        {
            node = Find(node, tokens[..KvCache.BlockPositions]);
            if (node is null || !cache.IsShared(node.Block))
                break;
            held++;
        }

        return held;
    }

    /// <summary>Gives up the block that was used longest ago of those that nothing needs; false where there is none.</summary>
    internal bool TryGiveUp()
    {
        Node? oldest = null;
        foreach (Node node in _nodes.Values)
        {
            if (node.Children == 0 && !cache.IsShared(node.Block) && (oldest is null || node.LastUse < oldest.LastUse))
                oldest = node;
        }

        if (oldest is null)
            return false;
        _nodes.Remove((oldest.Parent!, Hash(oldest.Tokens)));
        oldest.Parent!.Children--;
        cache.GiveUp(oldest.Block);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Node node in _nodes.Values)
            cache.GiveUp(node.Block);
        _nodes.Clear();
        _roots.Clear();
    }

    private static int Hash(ReadOnlySpan<int> tokens)
    {
        var hash = default(HashCode);
        hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(tokens));
        return hash.ToHashCode();
    }

    /// <summary>A block of tokens after those of its parent.</summary>
    internal sealed class Node(Node? parent, int[] tokens, int block)
    {
        internal Node? Parent { get; } = parent;

        internal int[] Tokens { get; } = tokens;

        internal int Block { get; } = block;

        internal int Children { get; set; }

        internal long LastUse { get; set; }

        /// <summary>The node so many steps above it.</summary>
        internal Node Above(int steps)
        {
            Node node = this;
            for (; steps > 0; steps--)
                node = node.Parent!;
            return node;
        }
    }
}
