using System.Runtime.InteropServices;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Emit;

/// <summary>What a score kernel works on; it counts in here, so a call spends it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ScoreCall
{
    /// <summary>First key, and the bytes from one to the next.</summary>
    internal byte* Keys;
    internal nint KeyStride;

    /// <summary>First query, and the bytes from one to the next.</summary>
    internal float* Queries;
    internal nint QueryStride;

    /// <summary>First query's score of the first key, and the bytes from one query's to the next's.</summary>
    internal float* Scores;
    internal nint ScoreStride;

    /// <summary>Sixteens of columns.</summary>
    internal nint Vectors;

    /// <summary>Blocks of <see cref="AttentionEmitter.Sums"/> / queries keys.</summary>
    internal nint Blocks;

    /// <summary>Factor on the scores.</summary>
    internal float Scale;
}

/// <summary>What a weighted-sum kernel works on.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct WeightedSumCall
{
    /// <summary>First position's value, and the bytes from one to the next.</summary>
    internal byte* Values;
    internal nint ValueStride;

    /// <summary>First query's weight of the first position, and the bytes from one query's to the next's.</summary>
    internal float* Weights;
    internal nint WeightStride;

    /// <summary>First query's sum, and the bytes from one to the next.</summary>
    internal float* Sums;
    internal nint SumStride;

    /// <summary>Positions.</summary>
    internal nint Count;
}

/// <summary>
/// Writes the machine code of attention at 512 bits: scores and weighted sums of 1, 2 or 4 queries that share their keys and values,
/// which are read as they are stored; .NET has no instruction that widens sixteen 16-bit floats. Each kernel is a function (call) →
/// void in the System V convention.
/// </summary>
/// <remarks>
/// Sixteen sums stay in registers 0 to 15. Scores: one for each query and each of 16 / queries keys, then the tree of
/// <see cref="FloatDot"/> over all sixteen at once. Weighted sums: one for each query and each of up to four sixteens of columns.
/// </remarks>
internal sealed class AttentionEmitter
{
    /// <summary>Sums in registers.</summary>
    internal const int Sums = 16;

    /// <summary>Sixteens of columns of a wide weighted sum.</summary>
    internal const int WideStrip = 4;

    /// <summary>
    /// Rows from what is read to what is fetched: positions lie too far apart for the processor to see where reading goes. Not into the
    /// nearest cache: rows a power of two apart share few of its sets. A multiple of eight.
    /// </summary>
    private const int RowsAhead = 16;

    private const int CacheLine = 64;
    private const int VectorBytes = 64;
    private const Gpr Call = Gpr.Rdi;

    // Pointers to keys 0, 4, 8, 12. Where there are fewer, the registers left hold the queries' strides.
    private static readonly Gpr[] KeyPointers = [Gpr.Rax, Gpr.Rcx, Gpr.Rdx, Gpr.Rsi];

    private readonly Assembler _code = new();
    private readonly ElementType _type;

    private AttentionEmitter(ElementType type) => _type = type;

    private int ElementVectorBytes => _type == ElementType.F32 ? VectorBytes : VectorBytes / 2;

    /// <summary>Scores of <paramref name="queries"/> queries (1, 2 or 4).</summary>
    internal static ReadOnlyMemory<byte> Scores(ElementType type, int queries)
    {
        var emitter = new AttentionEmitter(type);
        emitter.ScoreKernel(queries);
        return emitter._code.Code;
    }

    /// <summary>Weighted sums of <paramref name="queries"/> queries (1, 2 or 4) over <paramref name="vectors"/> sixteens of columns (up to 4).</summary>
    internal static ReadOnlyMemory<byte> WeightedSums(ElementType type, int queries, int vectors)
    {
        var emitter = new AttentionEmitter(type);
        emitter.WeightedSumKernel(queries, vectors);
        return emitter._code.Code;
    }

    private static Address Field<TCall>(string name)
        where TCall : struct =>
        new(Call, (int)Marshal.OffsetOf<TCall>(name));

    /// <summary>The address of item 0 to 3, given registers that hold the first's address, the stride and three times the stride.</summary>
    private static Address Item(int item, Gpr first, Gpr stride, Gpr triple) => item switch
    {
        0 => new Address(first, 0),
        3 => new Address(first, 0, triple),
        _ => new Address(first, 0, stride, item),
    };

    private void ScoreKernel(int queries)
    {
        const Gpr KeyStride = Gpr.R8;
        const Gpr KeyStride3 = Gpr.R9;
        const Gpr Query = Gpr.R10;
        const Gpr Counter = Gpr.R11;
        const Gpr QueryStride = Gpr.Rdx;
        const Gpr QueryStride3 = Gpr.Rsi;
        const Gpr Ahead = Gpr.Rcx;
        int keys = Sums / queries;
        bool fetches = queries == 4;
        ReadOnlySpan<Gpr> pointers = KeyPointers.AsSpan(0, keys / 4);

        int block = _code.Here;
        _code.Load(pointers[0], Field<ScoreCall>(nameof(ScoreCall.Keys)));
        _code.Load(KeyStride, Field<ScoreCall>(nameof(ScoreCall.KeyStride)));
        _code.LoadAddress(KeyStride3, new Address(KeyStride, 0, KeyStride, 2));
        for (int i = 1; i < pointers.Length; i++)
            _code.LoadAddress(pointers[i], new Address(pointers[i - 1], 0, KeyStride, 4));
        if (fetches)
            LoadAhead(Ahead, pointers[0], KeyStride);
        _code.Load(Query, Field<ScoreCall>(nameof(ScoreCall.Queries)));
        if (queries > 1)
        {
            _code.Load(QueryStride, Field<ScoreCall>(nameof(ScoreCall.QueryStride)));
            _code.LoadAddress(QueryStride3, new Address(QueryStride, 0, QueryStride, 2));
        }

        _code.Load(Counter, Field<ScoreCall>(nameof(ScoreCall.Vectors)));
        for (int sum = 0; sum < Sums; sum++)
            _code.Xor(new Zmm(sum), new Zmm(sum), new Zmm(sum));

        int columns = _code.Here;
        for (int query = 0; query < queries; query++)
            _code.Load(new Zmm(Sums + query), Item(query, Query, QueryStride, QueryStride3));
        for (int key = 0; key < keys; key++)
        {
            var vector = new Zmm(Sums + queries + (key % 8));
            LoadFloats(vector, Item(key % 4, pointers[key / 4], KeyStride, KeyStride3));
            if (fetches)
                _code.PrefetchFar(Item(key, Ahead, KeyStride, KeyStride3));
            for (int query = 0; query < queries; query++)
                _code.MultiplyAdd(new Zmm((query * keys) + key), new Zmm(Sums + query), vector);
        }

        foreach (Gpr pointer in pointers)
            _code.Add(pointer, ElementVectorBytes);
        if (fetches)
            _code.Add(Ahead, ElementVectorBytes);
        _code.Add(Query, VectorBytes);
        _code.Decrement(Counter);
        _code.JumpIfNotZero(columns);

        Zmm scores = Tree();
        _code.MultiplyBroadcast(scores, scores, Field<ScoreCall>(nameof(ScoreCall.Scale)));
        StoreScores(scores, queries);

        Address nextKeys = Field<ScoreCall>(nameof(ScoreCall.Keys));
        _code.Load(Gpr.Rax, nextKeys);
        for (int key = 0; key < keys; key += 4)
            _code.LoadAddress(Gpr.Rax, new Address(Gpr.Rax, 0, KeyStride, 4));
        _code.Store(nextKeys, Gpr.Rax);
        Address blocks = Field<ScoreCall>(nameof(ScoreCall.Blocks));
        _code.Load(Counter, blocks);
        _code.Decrement(Counter);
        _code.Store(blocks, Counter);
        _code.JumpIfNotZero(block);
        _code.ClearUpperHalves();
        _code.Return();
    }

    /// <summary>
    /// The trees 16→8→4→2→1 of all sixteen sums, four registers' lanes meeting at each step: lane i of the result is sum i. A letter is a
    /// sum, a place a quarter of the register.
    /// </summary>
    private Zmm Tree()
    {
        for (int e = 0; e < 4; e++)
        {
            // Sums e, e + 4, e + 8, e + 12: [aabb] [ccdd], then [abcd].
            Meet(new Zmm(e), new Zmm(e + 4), 0x44, 0xEE, areQuarters: true);
            Meet(new Zmm(e + 8), new Zmm(e + 12), 0x44, 0xEE, areQuarters: true);
            Meet(new Zmm(e), new Zmm(e + 8), 0x88, 0xDD, areQuarters: true);
        }

        // Lanes of each quarter: two of one sum, two of the next; then one of each.
        Meet(new Zmm(0), new Zmm(1), 0x44, 0xEE, areQuarters: false);
        Meet(new Zmm(2), new Zmm(3), 0x44, 0xEE, areQuarters: false);
        Meet(new Zmm(0), new Zmm(2), 0x88, 0xDD, areQuarters: false);
        return new Zmm(0);
    }

    /// <summary>left = the lanes of both that come first + those that they meet.</summary>
    private void Meet(Zmm left, Zmm right, int first, int second, bool areQuarters)
    {
        var low = new Zmm(Sums + (left.Number % 4 * 2));
        var high = new Zmm(Sums + (left.Number % 4 * 2) + 1);
        if (areQuarters)
        {
            _code.ShuffleQuarters(low, left, right, first);
            _code.ShuffleQuarters(high, left, right, second);
        }
        else
        {
            _code.ShuffleLanes(low, left, right, first);
            _code.ShuffleLanes(high, left, right, second);
        }

        _code.AddFloats(left, low, high);
    }

    private void StoreScores(Zmm scores, int queries)
    {
        const Gpr Target = Gpr.Rax;
        const Gpr Stride = Gpr.Rcx;
        const Gpr Stride3 = Gpr.Rdx;
        Address field = Field<ScoreCall>(nameof(ScoreCall.Scores));
        _code.Load(Target, field);
        _code.Load(Stride, Field<ScoreCall>(nameof(ScoreCall.ScoreStride)));
        _code.LoadAddress(Stride3, new Address(Stride, 0, Stride, 2));
        for (int query = 0; query < queries; query++)
        {
            Address target = Item(query, Target, Stride, Stride3);
            switch (queries)
            {
                case 1: _code.Store(target, scores); break;
                case 2: _code.StoreHalf(target, scores, query); break;
                default: _code.StoreQuarter(target, scores, query); break;
            }
        }

        _code.Add(Target, VectorBytes / queries);
        _code.Store(field, Target);
    }

    private void WeightedSumKernel(int queries, int vectors)
    {
        const Gpr Value = Gpr.Rax;
        const Gpr ValueStride = Gpr.Rcx;
        const Gpr Weight = Gpr.Rdx;
        const Gpr WeightStride = Gpr.R8;
        const Gpr WeightStride3 = Gpr.R9;
        const Gpr Counter = Gpr.R11;
        const Gpr Ahead = Gpr.R10;
        const int FirstValue = Sums;
        const int FirstWeight = Sums + WideStrip;

        WholeSums(queries, vectors, (sum, place) => _code.Load(sum, place));
        _code.Load(Value, Field<WeightedSumCall>(nameof(WeightedSumCall.Values)));
        _code.Load(ValueStride, Field<WeightedSumCall>(nameof(WeightedSumCall.ValueStride)));
        LoadAhead(Ahead, Value, ValueStride);
        _code.Load(Weight, Field<WeightedSumCall>(nameof(WeightedSumCall.Weights)));
        _code.Load(WeightStride, Field<WeightedSumCall>(nameof(WeightedSumCall.WeightStride)));
        _code.LoadAddress(WeightStride3, new Address(WeightStride, 0, WeightStride, 2));
        _code.Load(Counter, Field<WeightedSumCall>(nameof(WeightedSumCall.Count)));

        int loop = _code.Here;
        for (int vector = 0; vector < vectors; vector++)
            LoadFloats(new Zmm(FirstValue + vector), new Address(Value, vector * ElementVectorBytes));
        for (int line = 0; line < vectors * ElementVectorBytes; line += CacheLine)
            _code.PrefetchFar(new Address(Ahead, line));
        for (int query = 0; query < queries; query++)
        {
            var weight = new Zmm(FirstWeight + query);
            _code.BroadcastDword(weight, Item(query, Weight, WeightStride, WeightStride3));
            for (int vector = 0; vector < vectors; vector++)
                _code.MultiplyAdd(new Zmm((query * vectors) + vector), weight, new Zmm(FirstValue + vector));
        }

        _code.Add(Value, ValueStride);
        _code.Add(Ahead, ValueStride);
        _code.Add(Weight, sizeof(float));
        _code.Decrement(Counter);
        _code.JumpIfNotZero(loop);
        WholeSums(queries, vectors, (sum, place) => _code.Store(place, sum));
        _code.ClearUpperHalves();
        _code.Return();
    }

    private void WholeSums(int queries, int vectors, Action<Zmm, Address> move)
    {
        const Gpr Sum = Gpr.Rsi;
        const Gpr Stride = Gpr.R10;
        const Gpr Stride3 = Gpr.R11;
        _code.Load(Sum, Field<WeightedSumCall>(nameof(WeightedSumCall.Sums)));
        _code.Load(Stride, Field<WeightedSumCall>(nameof(WeightedSumCall.SumStride)));
        _code.LoadAddress(Stride3, new Address(Stride, 0, Stride, 2));
        for (int query = 0; query < queries; query++)
        {
            for (int vector = 0; vector < vectors; vector++)
                move(new Zmm((query * vectors) + vector), Item(query, Sum, Stride, Stride3) + (vector * VectorBytes));
        }
    }

    private void LoadAhead(Gpr target, Gpr row, Gpr stride)
    {
        _code.LoadAddress(target, new Address(row, 0, stride, 8));
        for (int rows = 8; rows < RowsAhead; rows += 8)
            _code.LoadAddress(target, new Address(target, 0, stride, 8));
    }

    private void LoadFloats(Zmm target, Address source)
    {
        switch (_type)
        {
            case ElementType.F32: _code.Load(target, source); break;
            case ElementType.F16: _code.LoadHalves(target, source); break;
            case ElementType.BF16:
                _code.LoadWords(target, source);
                _code.ShiftLeft(target, target, 16);
                break;
            default: throw new ArgumentOutOfRangeException(nameof(source), _type, "Only floats are read as they are stored.");
        }
    }
}
