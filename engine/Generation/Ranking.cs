using System.Numerics;
using System.Runtime.InteropServices;

namespace Pure.Engine.Generation;

/// <summary>
/// The ids of a logits row, the largest logit first and the lower id first among equals, without sorting what nobody asks for:
/// the first k in O(V + k log k) for the usual k, or all of them one by one, in O(V) and O(log V) each.
/// </summary>
internal sealed class Ranking
{
    private readonly int[] _ids;

    /// <summary>A ranking that can hold <paramref name="capacity"/> ids.</summary>
    internal Ranking(int capacity) => _ids = new int[capacity];

    /// <summary>The largest logit; NaN if any is NaN. Exact, hence the same at every vector width.</summary>
    internal static float Maximum(ReadOnlySpan<float> logits)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        float maximum = float.NegativeInfinity;
        if (vectors.Length > 0)
        {
            Vector<float> lanes = vectors[0];
            foreach (Vector<float> vector in vectors[1..])
                lanes = Vector.Max(lanes, vector);
            for (int lane = 0; lane < Vector<float>.Count; lane++)
                maximum = MathF.Max(maximum, lanes[lane]);
        }

        foreach (float logit in logits[(vectors.Length * Vector<float>.Count)..])
            maximum = MathF.Max(maximum, logit);
        return maximum;
    }

    /// <summary>The id of the largest logit, the lowest among equals.</summary>
    internal static int Best(ReadOnlySpan<float> logits) => First(logits, Maximum(logits));

    /// <summary>The lowest id whose logit equals <paramref name="value"/>.</summary>
    internal static int First(ReadOnlySpan<float> logits, float value)
    {
        var wanted = new Vector<float>(value);
        int start = 0;
        foreach (Vector<float> vector in MemoryMarshal.Cast<float, Vector<float>>(logits))
        {
            if (Vector.EqualsAny(vector, wanted))
                break;
            start += Vector<float>.Count;
        }

        while (logits[start] != value)
            start++;
        return start;
    }

    /// <summary>The ids of the <paramref name="count"/> largest logits, in order.</summary>
    internal ReadOnlySpan<int> Largest(ReadOnlySpan<float> logits, int count)
    {
        // The last in order among the best so far sits at the root; an id enters by being ahead of it. Ids come in ascending
        // order, so that an equal logit never enters: its id is the higher one.
        Span<int> heap = _ids.AsSpan(0, count);
        if (count == 0)
            return heap;
        for (int id = 0; id < count; id++)
            heap[id] = id;
        for (int parent = (count / 2) - 1; parent >= 0; parent--)
            Sift<LastOnTop>(heap, parent, logits);

        int next = count;
        while (next < logits.Length)
        {
            float bound = logits[heap[0]];
            next = FirstAbove(logits, next, bound);
            if (next == logits.Length)
                break;
            heap[0] = next++;
            Sift<LastOnTop>(heap, 0, logits);
        }

        for (int last = count - 1; last > 0; last--)
        {
            (heap[0], heap[last]) = (heap[last], heap[0]);
            Sift<LastOnTop>(heap[..last], 0, logits);
        }

        return heap;
    }

    /// <summary>Puts all ids in a heap with the first in order at the root, for <see cref="Pop"/>.</summary>
    internal Span<int> Heap(ReadOnlySpan<float> logits)
    {
        Span<int> heap = _ids.AsSpan(0, logits.Length);
        for (int id = 0; id < heap.Length; id++)
            heap[id] = id;
        for (int parent = (heap.Length / 2) - 1; parent >= 0; parent--)
            Sift<FirstOnTop>(heap, parent, logits);
        return heap;
    }

    /// <summary>Takes the first id in order out of the heap.</summary>
    internal static int Pop(ref Span<int> heap, ReadOnlySpan<float> logits)
    {
        int id = heap[0];
        heap[0] = heap[^1];
        heap = heap[..^1];
        if (heap.Length > 1)
            Sift<FirstOnTop>(heap, 0, logits);
        return id;
    }

    private static int FirstAbove(ReadOnlySpan<float> logits, int start, float bound)
    {
        var bounds = new Vector<float>(bound);
        while (start <= logits.Length - Vector<float>.Count)
        {
            if (Vector.GreaterThanAny(new Vector<float>(logits[start..]), bounds))
                break;
            start += Vector<float>.Count;
        }

        while (start < logits.Length && !(logits[start] > bound))
            start++;
        return start;
    }

    private static void Sift<TOrder>(Span<int> heap, int parent, ReadOnlySpan<float> logits)
        where TOrder : IOrder
    {
        int id = heap[parent];
        while (true)
        {
            int child = (2 * parent) + 1;
            if (child >= heap.Length)
                break;
            if (child + 1 < heap.Length && TOrder.IsAbove(heap[child + 1], heap[child], logits))
                child++;
            if (!TOrder.IsAbove(heap[child], id, logits))
                break;
            heap[parent] = heap[child];
            parent = child;
        }

        heap[parent] = id;
    }

    private interface IOrder
    {
        static abstract bool IsAbove(int id, int other, ReadOnlySpan<float> logits);
    }

    private readonly struct FirstOnTop : IOrder
    {
        public static bool IsAbove(int id, int other, ReadOnlySpan<float> logits) =>
            logits[id] > logits[other] || (logits[id] == logits[other] && id < other);
    }

    private readonly struct LastOnTop : IOrder
    {
        public static bool IsAbove(int id, int other, ReadOnlySpan<float> logits) => FirstOnTop.IsAbove(other, id, logits);
    }
}
