using System.Reflection;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;

namespace Pure.Gpu.Kernels;

/// <summary>
/// softmax(q·K · scale)·V of a batch's rows over their sequences' pages, by fixed spans of absolute positions: within a span a softmax
/// around the span's maximum; across spans (maximum, sum, vector) are merged (Milakov and Gimelshein 2018, arXiv:1805.02867). Spans are
/// where they are whatever the batch holds, so that a row's result is its own.
/// </summary>
/// <remarks>
/// A group takes some query heads of one key/value head, which meet each key and value once. Few rows: a group for each span too, so that one
/// long sequence keeps the whole device busy (<see cref="Spans"/>, then <see cref="MergeSpansKernel"/>). Many rows: a group goes through its
/// row's spans (<see cref="Rows"/>), and nothing is kept between groups.
/// </remarks>
internal static class AttentionKernel
{
    /// <summary>
    /// Positions of a span: two blocks of the cache. Shorter ones would write as much of vectors as they read of keys and values, longer
    /// ones leave processors idle below some thousand positions.
    /// </summary>
    internal const int SpanPositions = 128;

    /// <summary>Most heads of a group.</summary>
    internal const int MaxHeads = 8;

    /// <summary>Most threads of a group.</summary>
    internal const int MaxThreads = 256;

    /// <summary>Largest key: DeepSeek's latent with its rotary key.</summary>
    internal const int MaxKeySize = 576;

    /// <summary>Largest value: DeepSeek's latent.</summary>
    internal const int MaxValueSize = 512;

    // Eight columns of all heads' queries, and a gap that spreads the lanes of a dot product over the banks of shared memory.
    private const int ChunkColumns = 8;
    private const int ChunkGap = 4;
    private const int MaxChunk = (ChunkColumns * MaxHeads) + ChunkGap;

    // Threads beyond a value's pairs of columns take other positions: their parts are as many as threads, or one.
    private const int MaxParts = MaxHeads * (2 * MaxThreads > MaxValueSize ? 2 * MaxThreads : MaxValueSize);

    internal static IEnumerable<MethodInfo> EntryPoints =>
    [
        .. Of<StoredF16, JointSums1>(), .. Of<StoredF16, JointSums2>(), .. Of<StoredF16, JointSums4>(), .. Of<StoredF16, JointSums8>(),
        .. Of<StoredF32, JointSums1>(), .. Of<StoredF32, JointSums2>(), .. Of<StoredF32, JointSums4>(), .. Of<StoredF32, JointSums8>(),
    ];

    /// <summary>A group for each (some heads, slot): one span, whose maxima, sums and vectors are kept in the slot.</summary>
    /// <param name="queries"><c>[rows, Heads · KeySize]</c>.</param>
    /// <param name="cache">The layer's cache <c>[blocks · 64, Columns]</c>.</param>
    /// <param name="rows">The rows' positions.</param>
    /// <param name="tables">The sequences' block numbers.</param>
    /// <param name="spans">The slots' spans.</param>
    /// <param name="maxima"><c>[slots, heads of all groups]</c>.</param>
    /// <param name="sums"><c>[slots, heads of all groups]</c>.</param>
    /// <param name="vectors"><c>[slots, groups, ValueSize, heads of a group]</c>.</param>
    /// <param name="shape">What is read.</param>
    internal static void Spans<TStored, TSums>(
        ArrayView<float> queries,
        ArrayView<uint> cache,
        ArrayView<RowPlace> rows,
        ArrayView<int> tables,
        ArrayView<SpanPlace> spans,
        ArrayView<float> maxima,
        ArrayView<float> sums,
        ArrayView<float> vectors,
        AttentionShape shape)
        where TStored : struct, IStoredFloats
        where TSums : struct, IJointSums<TSums>
    {
        ArrayView<float> query = SharedMemory.Allocate<Four>(MaxKeySize / ChunkColumns * MaxChunk / Four.Count).Cast<float>();
        ArrayView<float> weights = SharedMemory.Allocate<Four>(SpanPositions * MaxHeads / Four.Count).Cast<float>();
        ArrayView<float> parts = SharedMemory.Allocate<float>(MaxParts);
        ArrayView<float> spanMax = SharedMemory.Allocate<float>(MaxHeads);
        ArrayView<float> spanSum = SharedMemory.Allocate<float>(MaxHeads);
        ArrayView<int> places = SharedMemory.Allocate<int>(SpanPositions);

        int heads = default(TSums).Count;
        SpanPlace span = spans[Grid.IdxY];
        RowPlace row = rows[span.Row];
        int begin = XMath.Max(shape.FirstVisible(row.Position), span.Span * SpanPositions);
        int end = XMath.Min(row.Position + 1, (span.Span + 1) * SpanPositions);
        if (begin >= end)
            return;
        LoadQueries<TSums>(queries, query, span.Row, shape);
        Attend<TStored, TSums>(query, cache, row, tables, begin, end, places, weights, spanMax, spanSum, parts, shape);

        long slot = ((long)Grid.IdxY * Grid.DimX) + Grid.IdxX;
        int partCount = Parts(shape.ValueSize);
        for (int item = Group.IdxX; item < shape.ValueSize * heads; item += Group.DimX)
            vectors[(slot * shape.ValueSize * heads) + item] = Whole(parts, item, partCount, shape.ValueSize * heads);
        for (int head = Group.IdxX; head < heads; head += Group.DimX)
        {
            maxima[(slot * heads) + head] = spanMax[head];
            sums[(slot * heads) + head] = spanSum[head];
        }
    }

    /// <summary>A group for each (some heads, row): all spans that the row sees, from left to right.</summary>
    /// <param name="queries"><c>[rows, Heads · KeySize]</c>.</param>
    /// <param name="cache">The layer's cache <c>[blocks · 64, Columns]</c>.</param>
    /// <param name="rows">The rows' positions.</param>
    /// <param name="tables">The sequences' block numbers.</param>
    /// <param name="sinks">A score for each head, where there are sinks.</param>
    /// <param name="y"><c>[rows, Heads · ValueSize]</c>.</param>
    /// <param name="shape">What is read.</param>
    internal static void Rows<TStored, TSums>(
        ArrayView<float> queries,
        ArrayView<uint> cache,
        ArrayView<RowPlace> rows,
        ArrayView<int> tables,
        ArrayView<float> sinks,
        ArrayView<float> y,
        AttentionShape shape)
        where TStored : struct, IStoredFloats
        where TSums : struct, IJointSums<TSums>
    {
        ArrayView<float> query = SharedMemory.Allocate<Four>(MaxKeySize / ChunkColumns * MaxChunk / Four.Count).Cast<float>();
        ArrayView<float> weights = SharedMemory.Allocate<Four>(SpanPositions * MaxHeads / Four.Count).Cast<float>();
        ArrayView<float> parts = SharedMemory.Allocate<float>(MaxParts);
        ArrayView<float> spanMax = SharedMemory.Allocate<float>(MaxHeads);
        ArrayView<float> spanSum = SharedMemory.Allocate<float>(MaxHeads);
        ArrayView<int> places = SharedMemory.Allocate<int>(SpanPositions);
        ArrayView<float> max = SharedMemory.Allocate<float>(MaxHeads);
        ArrayView<float> sum = SharedMemory.Allocate<float>(MaxHeads);
        ArrayView<float> left = SharedMemory.Allocate<float>(MaxHeads);
        ArrayView<float> right = SharedMemory.Allocate<float>(MaxHeads);

        int heads = default(TSums).Count;
        RowPlace row = rows[Grid.IdxY];
        LoadQueries<TSums>(queries, query, Grid.IdxY, shape);
        int firstHead = FirstHead(heads, shape);
        int used = UsedHeads(heads, shape);
        int partCount = Parts(shape.ValueSize);
        long target = ((long)Grid.IdxY * shape.Heads) + firstHead;
        int visible = shape.FirstVisible(row.Position);
        for (int begin = visible; begin <= row.Position; begin = ((begin / SpanPositions) + 1) * SpanPositions)
        {
            int end = XMath.Min(row.Position + 1, ((begin / SpanPositions) + 1) * SpanPositions);
            Attend<TStored, TSums>(query, cache, row, tables, begin, end, places, weights, spanMax, spanSum, parts, shape);
            bool isFirst = begin == visible;
            for (int head = Group.IdxX; head < heads; head += Group.DimX)
            {
                float before = isFirst ? spanMax[head] : max[head];
                float merged = XMath.Max(before, spanMax[head]);
                left[head] = XMath.Exp(before - merged);
                right[head] = XMath.Exp(spanMax[head] - merged);
                sum[head] = (isFirst ? 0 : sum[head] * left[head]) + (spanSum[head] * right[head]);
                max[head] = merged;
            }

            Group.Barrier();
            for (int item = Group.IdxX; item < shape.ValueSize * heads; item += Group.DimX)
            {
                int column = item / heads;
                int head = item - (column * heads);
                float value = Whole(parts, item, partCount, shape.ValueSize * heads) * right[head];
                long at = ((target + head) * shape.ValueSize) + column;
                if (head < used)
                    y[at] = isFirst ? value : (y[at] * left[head]) + value;
            }
        }

        for (int item = Group.IdxX; item < shape.ValueSize * heads; item += Group.DimX)
        {
            int column = item / heads;
            int head = item - (column * heads);
            long at = ((target + head) * shape.ValueSize) + column;
            if (head < used)
                y[at] /= sum[head] + (shape.HasSinks != 0 ? XMath.Exp(sinks[firstHead + head] - max[head]) : 0);
        }
    }

    /// <summary>The query head that the group begins with.</summary>
    internal static int FirstHead(int heads, AttentionShape shape)
    {
        int groups = (shape.Sharing + heads - 1) / heads;
        int kvHead = Grid.IdxX / groups;
        return (kvHead * shape.Sharing) + ((Grid.IdxX - (kvHead * groups)) * heads);
    }

    /// <summary>How many of the group's heads there are: fewer in the last group of a key/value head.</summary>
    internal static int UsedHeads(int heads, AttentionShape shape)
    {
        int groups = (shape.Sharing + heads - 1) / heads;
        return XMath.Min(heads, shape.Sharing - (Grid.IdxX % groups * heads));
    }

    /// <summary>Queries <c>[KeySize, heads]</c>, with a gap after each eight columns; those of no head are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadQueries<TSums>(ArrayView<float> queries, ArrayView<float> query, int row, AttentionShape shape)
        where TSums : struct, IJointSums<TSums>
    {
        int heads = default(TSums).Count;
        int used = UsedHeads(heads, shape);
        long from = (((long)row * shape.Heads) + FirstHead(heads, shape)) * shape.KeySize;
        for (int item = Group.IdxX; item < heads * shape.KeySize; item += Group.DimX)
        {
            int head = item / shape.KeySize;
            int column = item - (head * shape.KeySize);
            query[(column * heads) + (column / ChunkColumns * ChunkGap) + head] = head < used ? queries[from + item] : 0;
        }
    }

    /// <summary>One span: its maxima and sums, and its vectors in parts that <see cref="Whole"/> adds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Attend<TStored, TSums>(
        ArrayView<float> query,
        ArrayView<uint> cache,
        RowPlace row,
        ArrayView<int> tables,
        int begin,
        int end,
        ArrayView<int> places,
        ArrayView<float> weights,
        ArrayView<float> spanMax,
        ArrayView<float> spanSum,
        ArrayView<float> parts,
        AttentionShape shape)
        where TStored : struct, IStoredFloats
        where TSums : struct, IJointSums<TSums>
    {
        int count = end - begin;
        for (int position = Group.IdxX; position < count; position += Group.DimX)
            places[position] = CachePlace.Of(tables, row, begin + position);
        Group.Barrier();
        int kvHead = Grid.IdxX / ((shape.Sharing + default(TSums).Count - 1) / default(TSums).Count);
        Scores<TStored, TSums>(query, cache, places, count, kvHead, weights, shape);
        Group.Barrier();
        Softmax(weights, count, default(TSums).Count, spanMax, spanSum);
        Group.Barrier();
        Values<TStored, TSums>(weights, cache, places, count, kvHead, parts, shape);
        Group.Barrier();
    }

    /// <summary>Scores <c>[positions, heads]</c>: some lanes share a position's key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scores<TStored, TSums>(
        ArrayView<float> query, ArrayView<uint> cache, ArrayView<int> places, int count, int kvHead, ArrayView<float> scores, AttentionShape shape)
        where TStored : struct, IStoredFloats
        where TSums : struct, IJointSums<TSums>
    {
        int heads = default(TSums).Count;
        int chunkSize = (ChunkColumns * heads) + ChunkGap;
        int lanes = shape.DotLanes;
        int lane = Group.IdxX % lanes;
        int together = Group.DimX / lanes;
        for (int first = 0; first < count; first += together)
        {
            // Every lane takes part in the shuffles: those without a position repeat the last one.
            int position = first + (Group.IdxX / lanes);
            long key = (places[XMath.Min(position, count - 1)] * default(TStored).Words(shape.Columns)) + default(TStored).Words(kvHead * shape.KeySize);
            TSums sums = default;
            for (int chunk = lane; chunk < shape.KeySize / ChunkColumns; chunk += lanes)
            {
                Float8 k = default(TStored).Load8(cache, key + default(TStored).Words(chunk * ChunkColumns));
                sums = JointDot.Add(sums, k, query, chunk * chunkSize);
            }

            sums = default(TSums).OverLanes(sums, lanes);
            if (lane == 0 && position < count)
                default(TSums).Write(sums, scores, position * heads, shape.Scale);
        }
    }

    /// <summary>Scores become weights around their maximum; a warp for each head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Softmax(ArrayView<float> weights, int count, int heads, ArrayView<float> spanMax, ArrayView<float> spanSum)
    {
        for (int head = Group.IdxX / Warp.WarpSize; head < heads; head += Group.DimX / Warp.WarpSize)
        {
            float max = float.NegativeInfinity;
            for (int position = Warp.LaneIdx; position < count; position += Warp.WarpSize)
                max = XMath.Max(max, weights[(position * heads) + head]);
            for (int distance = Warp.WarpSize / 2; distance > 0; distance >>= 1)
                max = XMath.Max(max, Warp.ShuffleXor(max, distance));
            float sum = 0;
            for (int position = Warp.LaneIdx; position < count; position += Warp.WarpSize)
            {
                float weight = XMath.Exp(weights[(position * heads) + head] - max);
                weights[(position * heads) + head] = weight;
                sum += weight;
            }

            sum = WarpSum.Of(sum);
            if (Warp.LaneIdx == 0)
            {
                spanMax[head] = max;
                spanSum[head] = sum;
            }
        }
    }

    /// <summary>Weighted values <c>[parts, ValueSize, heads]</c>: a thread takes two columns, of every position or of its part of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Values<TStored, TSums>(
        ArrayView<float> weights, ArrayView<uint> cache, ArrayView<int> places, int count, int kvHead, ArrayView<float> parts, AttentionShape shape)
        where TStored : struct, IStoredFloats
        where TSums : struct, IJointSums<TSums>
    {
        int heads = default(TSums).Count;
        int pairs = shape.ValueSize / 2;
        int partCount = Parts(shape.ValueSize);
        int part = Group.IdxX / pairs;
        long rowWords = default(TStored).Words(shape.Columns);
        long value = default(TStored).Words(shape.ValueColumn + (kvHead * shape.ValueSize));
        for (int pair = Group.IdxX; pair < partCount * pairs; pair += Group.DimX)
        {
            int column = pair - (part * pairs);
            int first = partCount > 1 ? part : 0;
            column = partCount > 1 ? column : pair;
            TSums low = default;
            TSums high = default;
            for (int position = first; position < count; position += partCount)
            {
                Float2 v = default(TStored).Load2(cache, (places[position] * rowWords) + value, column);
                low = default(TSums).Add(low, v.X, weights, position * heads);
                high = default(TSums).Add(high, v.Y, weights, position * heads);
            }

            int at = ((first * shape.ValueSize) + (2 * column)) * heads;
            default(TSums).Write(low, parts, at, 1);
            default(TSums).Write(high, parts, at + heads, 1);
        }
    }

    /// <summary>Into how many parts threads divide a span's positions.</summary>
    private static int Parts(int valueSize) => XMath.Max(1, Group.DimX / (valueSize / 2));

    /// <summary>An element of a span's vectors from its parts, in their order.</summary>
    private static float Whole(ArrayView<float> parts, int item, int count, int size)
    {
        float whole = parts[item];
        for (int part = 1; part < count; part++)
            whole += parts[(part * size) + item];
        return whole;
    }

    private static MethodInfo[] Of<TStored, TSums>()
        where TStored : struct, IStoredFloats
        where TSums : struct, IJointSums<TSums> =>
    [
        ((Action<ArrayView<float>, ArrayView<uint>, ArrayView<RowPlace>, ArrayView<int>, ArrayView<SpanPlace>, ArrayView<float>, ArrayView<float>,
            ArrayView<float>, AttentionShape>)Spans<TStored, TSums>).Method,
        ((Action<ArrayView<float>, ArrayView<uint>, ArrayView<RowPlace>, ArrayView<int>, ArrayView<float>, ArrayView<float>,
            AttentionShape>)Rows<TStored, TSums>).Method,
    ];
}
