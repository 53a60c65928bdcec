using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Emit;

/// <summary>
/// Attention's kernels as machine code, one for each element type and number of queries, made when first asked for. A kernel is used only
/// if the system lets its pages be executed and it agrees with <see cref="AttentionKernels"/> to the bit on random rows.
/// </summary>
internal static unsafe class EmittedAttention
{
    private const int Strip = AttentionEmitter.WideStrip * FloatDot.Lanes;

    // By type (F32, F16, BF16), queries (1, 2, 4) and, for sums, width (one sixteen of columns, or four).
    private static readonly Kernel[] ScoreKernels = new Kernel[3 * 3];
    private static readonly Kernel[] SumKernels = new Kernel[3 * 3 * 2];
    private static readonly Lock Gate = new();

    private enum State
    {
        Unknown,
        Usable,
        Refused,
    }

    /// <summary>Whether rows of this type and size are read as they are stored.</summary>
    internal static bool Reads(ElementType type, int columns) =>
        type is ElementType.F32 or ElementType.F16 or ElementType.BF16 && columns >= FloatDot.Lanes && columns % FloatDot.Lanes == 0;

    /// <summary>
    /// scores[query, p] = (query · key p) · scale, for the first keys; returns their number, a multiple of no more than sixteen, or 0 where
    /// the kernel may not be used.
    /// </summary>
    /// <param name="queries">1, 2 or 4.</param>
    /// <param name="q">First query; others <paramref name="qStride"/> floats apart.</param>
    /// <param name="qStride">Floats from one query to the next.</param>
    /// <param name="keys">Keys, of a type and size that <see cref="Reads"/>.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="scores">First query's scores; others <paramref name="scoreStride"/> floats apart.</param>
    /// <param name="scoreStride">Floats from one query's scores to the next's.</param>
    internal static int Scores(int queries, float* q, long qStride, in CacheRows keys, float scale, float* scores, long scoreStride)
    {
        ref Kernel kernel = ref ScoreKernels[(TypeIndex(keys.Type) * 3) + (queries / 2)];
        if (kernel.State == State.Unknown)
            MakeScores(ref kernel, keys.Type, queries);
        int blocks = keys.Count / (AttentionEmitter.Sums / queries);
        if (blocks == 0 || kernel.State == State.Refused)
            return 0;
        Run(kernel, queries, blocks, q, qStride, keys, scale, scores, scoreStride);
        return blocks * (AttentionEmitter.Sums / queries);
    }

    /// <summary>
    /// sums[query] = fma(weight[query, p], value p, sums[query]) for all positions in order; false, and nothing done, where a kernel may not
    /// be used.
    /// </summary>
    /// <param name="queries">1, 2 or 4.</param>
    /// <param name="weights">First query's weights; others <paramref name="weightStride"/> floats apart.</param>
    /// <param name="weightStride">Floats from one query's weights to the next's.</param>
    /// <param name="values">Values, of a type and size that <see cref="Reads"/>; at least one.</param>
    /// <param name="sums">First query's sums; others <paramref name="sumStride"/> floats apart.</param>
    /// <param name="sumStride">Floats from one query's sums to the next's.</param>
    internal static bool AddWeighted(
        int queries, float* weights, long weightStride, in CacheRows values, float* sums, long sumStride)
    {
        int index = ((TypeIndex(values.Type) * 3) + (queries / 2)) * 2;
        ref Kernel narrow = ref SumKernels[index];
        ref Kernel wide = ref SumKernels[index + 1];
        if (narrow.State == State.Unknown)
            MakeSums(ref narrow, values.Type, queries, vectors: 1);
        if (wide.State == State.Unknown)
            MakeSums(ref wide, values.Type, queries, AttentionEmitter.WideStrip);
        if (narrow.State == State.Refused || wide.State == State.Refused)
            return false;
        int column = 0;
        for (; column <= values.Columns - Strip; column += Strip)
            Run(wide, weights, weightStride, values, column, sums, sumStride);
        for (; column < values.Columns; column += FloatDot.Lanes)
            Run(narrow, weights, weightStride, values, column, sums, sumStride);
        return true;
    }

    private static int TypeIndex(ElementType type) => type switch
    {
        ElementType.F32 => 0,
        ElementType.F16 => 1,
        _ => 2,
    };

    private static void Run(
        in Kernel kernel, int queries, int blocks, float* q, long qStride, in CacheRows keys, float scale, float* scores, long scoreStride)
    {
        ScoreCall call;
        call.Keys = keys.Data.Pointer;
        call.KeyStride = (nint)keys.RowBytes;
        call.Queries = q;
        call.QueryStride = (nint)(qStride * sizeof(float));
        call.Scores = scores;
        call.ScoreStride = (nint)(scoreStride * sizeof(float));
        call.Vectors = keys.Columns / FloatDot.Lanes;
        call.Blocks = blocks;
        call.Scale = scale;
        kernel.Run(&call);
    }

    private static void Run(
        in Kernel kernel, float* weights, long weightStride, in CacheRows values, int column, float* sums, long sumStride)
    {
        WeightedSumCall call;
        call.Values = values.Data.Pointer + (values.Type == ElementType.F32 ? 4L * column : 2L * column);
        call.ValueStride = (nint)values.RowBytes;
        call.Weights = weights;
        call.WeightStride = (nint)(weightStride * sizeof(float));
        call.Sums = sums + column;
        call.SumStride = (nint)(sumStride * sizeof(float));
        call.Count = values.Count;
        kernel.Run(&call);
    }

    private static void MakeScores(ref Kernel kernel, ElementType type, int queries)
    {
        lock (Gate)
        {
            if (kernel.State != State.Unknown)
                return;
            var made = new Kernel { Code = (nint)ExecutableMemory.Place(AttentionEmitter.Scores(type, queries).Span) };
            bool agrees = false;
            if (made.Code != 0)
            {
                const int Columns = 3 * FloatDot.Lanes;
                const int Blocks = 2;
                int count = Blocks * AttentionEmitter.Sums / queries;
                using var rows = new RandomRows(type, count, Columns);
                using var q = new RandomRows(ElementType.F32, queries, Columns);
                using var expected = new AlignedBuffer<float>(queries * count);
                using var actual = new AlignedBuffer<float>(queries * count);
                float* first = (float*)q.Rows.Data.Pointer;
                for (int query = 0; query < queries; query++)
                    AttentionKernels.Scores<Lanes512>(first + (query * Columns), rows.Rows, 0.3f, expected.Pointer + (query * count));
                Run(made, queries, Blocks, first, Columns, rows.Rows, 0.3f, actual.Pointer, count);
                agrees = expected.Span.SequenceEqual(actual.Span);
            }

            kernel.Code = made.Code;
            kernel.State = agrees ? State.Usable : State.Refused;
        }
    }

    private static void MakeSums(ref Kernel kernel, ElementType type, int queries, int vectors)
    {
        lock (Gate)
        {
            if (kernel.State != State.Unknown)
                return;
            var made = new Kernel { Code = (nint)ExecutableMemory.Place(AttentionEmitter.WeightedSums(type, queries, vectors).Span) };
            bool agrees = false;
            if (made.Code != 0)
            {
                const int Count = 5;
                int columns = vectors * FloatDot.Lanes;
                using var rows = new RandomRows(type, Count, columns);
                using var weights = new RandomRows(ElementType.F32, queries, Count);
                using var expected = new AlignedBuffer<float>(queries * columns);
                using var actual = new AlignedBuffer<float>(queries * columns);
                float* first = (float*)weights.Rows.Data.Pointer;
                for (int query = 0; query < queries; query++)
                    AttentionKernels.AddWeighted<Lanes512>(first + (query * Count), rows.Rows, expected.Pointer + (query * columns));
                Run(made, first, Count, rows.Rows, 0, actual.Pointer, columns);
                agrees = expected.Span.SequenceEqual(actual.Span);
            }

            kernel.Code = made.Code;
            kernel.State = agrees ? State.Usable : State.Refused;
        }
    }

    private struct Kernel
    {
        internal volatile State State;
        internal nint Code;

        internal readonly void Run<TCall>(TCall* call)
            where TCall : unmanaged =>
            ((delegate* unmanaged[SuppressGCTransition]<void*, void>)Code)(call);
    }

    /// <summary>Rows of random numbers between −1/2 and 1/2.</summary>
    private sealed class RandomRows : IDisposable
    {
        private readonly AlignedBuffer<byte> _data;

        internal RandomRows(ElementType type, int count, int columns)
        {
            ElementFormat format = ElementFormat.Of(type);
            var random = new Random(count);
            var numbers = new float[count * columns];
            foreach (ref float number in numbers.AsSpan())
                number = random.NextSingle() - 0.5f;
            _data = new AlignedBuffer<byte>(format.RowBytes(numbers.Length));
            format.Quantize(numbers, _data.Span);
            Rows = CacheRows.Apart(_data.View, type, columns, columns, count);
        }

        internal CacheRows Rows { get; }

        public void Dispose() => _data.Dispose();
    }
}
