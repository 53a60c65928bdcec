using System.Runtime.InteropServices;

namespace Pure.Engine.Generation.Grammars;

/// <summary>How many more entries the stack needs from each node of an automaton to the end of its rule, on the flattest way there.</summary>
/// <remarks>
/// Knuth 1977, "A generalization of Dijkstra's algorithm": the height of a call is the larger of what follows and one more than the rule's, that of
/// a split the smallest of its ways; so the smallest that is known is final, and what is found has a way that ends.
/// </remarks>
internal static class AutomatonHeights
{
    /// <summary>Of a node that no way leads out of.</summary>
    internal const int Endless = int.MaxValue;

    /// <summary>The heights, by node.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="ways">The ways of splits.</param>
    internal static int[] Of(Node[] nodes, List<int[]> ways)
    {
        int[] heights = new int[nodes.Length];
        Array.Fill(heights, Endless);
        List<int>[] users = new List<int>[nodes.Length];
        int[] missing = new int[nodes.Length];
        for (int node = 0; node < nodes.Length; node++)
        {
            ReadOnlySpan<int> needed = Needed(nodes[node], ways);
            missing[node] = nodes[node].Kind == NodeKind.Split ? 1 : needed.Length;
            foreach (int other in needed)
                (users[other] ??= []).Add(node);
        }

        var reached = new PriorityQueue<int, int>();
        reached.Enqueue(Automaton.ReturnNode, 0);
        while (reached.TryDequeue(out int node, out int height))
        {
            if (heights[node] != Endless)
                continue;
            heights[node] = height;
            foreach (int user in CollectionsMarshal.AsSpan(users[node]))
            {
                if (--missing[user] == 0)
                    reached.Enqueue(user, Height(nodes[user], heights, height));
            }
        }

        return heights;
    }

    // The first of a split's ways to be known is the flattest.
    private static int Height(in Node node, int[] heights, int first) => node.Kind switch
    {
        NodeKind.Call => Math.Max(heights[node.Next], heights[node.Body] + 1),
        NodeKind.Count when node.Least > 0 => Math.Max(heights[node.Next], heights[node.Body] + 1),
        _ => first,
    };

    private static ReadOnlySpan<int> Needed(in Node node, List<int[]> ways) => node.Kind switch
    {
        NodeKind.Return => [],
        NodeKind.Split => ways[node.Body],
        NodeKind.Call => new[] { node.Next, node.Body },
        NodeKind.Count when node.Least > 0 => new[] { node.Next, node.Body },
        _ => new[] { node.Next },
    };
}
