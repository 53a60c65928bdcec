using System.Runtime.Intrinsics.X86;
using Pure.Engine.Kernels.Emit;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>
/// The arithmetic of one instruction-set cluster, chosen once at start-up (<see cref="Select(Isa?, bool)"/>). Every method has a scalar
/// definition, the first method in its operation's file; every other cluster gives its bits. Lengths are checked here, at the
/// kernels' door; behind it are raw pointers. All methods are safe to call from any number of threads.
/// </summary>
internal abstract unsafe class KernelSet
{
    /// <summary>The environment variable that names the instruction set when no wish is given.</summary>
    internal const string IsaVariable = "PURE_ISA";

    internal abstract Isa Isa { get; }

    /// <summary>Whether <see cref="MatMulPacked(PackedMatrix, int, int, in Activations, ReadOnlySpan{int}, Span{float}, int)"/> is there.</summary>
    internal virtual bool ReadsPacked => false;

    /// <summary>Whether machine code written at run time is used.</summary>
    internal virtual bool Emits => false;

    /// <summary>Whether several queries meet cache rows of this type fastest as they are stored; otherwise as 32-bit floats.</summary>
    internal virtual bool ReadsAsStored(ElementType type, int columns) => type == ElementType.F32;

    /// <summary>The kernels of <paramref name="wish"/>; without one, those PURE_ISA names; without either, the best this processor has.</summary>
    /// <param name="wish">The instruction set, or null.</param>
    /// <param name="emit">Whether machine code may be written at run time where that is faster.</param>
    /// <exception cref="InvalidRequestException">This processor lacks the wish, or PURE_ISA names no instruction set.</exception>
    internal static KernelSet Select(Isa? wish = null, bool emit = true) =>
        Select(wish, Environment.GetEnvironmentVariable(IsaVariable), emit);

    /// <param name="wish">Goes before the variable.</param>
    /// <param name="variable">What PURE_ISA holds.</param>
    /// <param name="emit">Whether machine code may be written at run time where that is faster.</param>
    internal static KernelSet Select(Isa? wish, string? variable, bool emit = true)
    {
        if (wish is { } isa)
            return Create(isa, emit, $"The instruction set {Name(isa)}");
        if (string.IsNullOrEmpty(variable))
            return Create(Supported[^1], emit, "");
        foreach (Isa known in Enum.GetValues<Isa>())
        {
            if (Name(known).Equals(variable, StringComparison.OrdinalIgnoreCase))
                return Create(known, emit, $"The instruction set {Name(known)} that {IsaVariable} asks for");
        }

        throw new InvalidRequestException($"{IsaVariable} is \"{variable}\", which names no instruction set; this processor has {Names}.");
    }

    /// <summary>What this processor has, plainest first.</summary>
    internal static IReadOnlyList<Isa> Supported { get; } =
        [.. Enum.GetValues<Isa>().Where(IsSupported)];

    /// <summary>The instruction set as users write it: <c>scalar</c>, <c>neon</c>, <c>avx2</c>, <c>avx-vnni</c>, <c>avx512</c>.</summary>
    internal static string Name(Isa isa) => isa switch
    {
        Isa.Scalar => "scalar",
        Isa.Neon => "neon",
        Isa.Avx2 => "avx2",
        Isa.AvxVnni => "avx-vnni",
        Isa.Avx512 => "avx512",
        _ => $"{(int)isa}",
    };

    /// <summary>y = x · (1 / √(mean(x²) + epsilon)) · weight, over one row; y may be x.</summary>
    internal void RmsNorm(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> y)
    {
        CheckLength(weight.Length, x.Length, nameof(weight));
        CheckLength(y.Length, x.Length, nameof(y));
        fixed (float* xs = x, weights = weight, ys = y)
            RmsNorm(xs, weights, x.Length, epsilon, ys);
    }

    /// <summary>Rotates pairs of one head's rotary dimensions by the angles whose cosines and sines are given, in place.</summary>
    /// <param name="x">The rotary dimensions, <c>[2 · cos.Length]</c>.</param>
    /// <param name="cos">Cosine of each pair's angle.</param>
    /// <param name="sin">Sine of each pair's angle.</param>
    /// <param name="adjacent">Pairs are (2i, 2i+1); otherwise (i, i + half).</param>
    internal void Rotate(Span<float> x, ReadOnlySpan<float> cos, ReadOnlySpan<float> sin, bool adjacent)
    {
        CheckLength(x.Length, 2 * cos.Length, nameof(x));
        CheckLength(sin.Length, cos.Length, nameof(sin));
        fixed (float* xs = x, cosines = cos, sines = sin)
            Rotate(xs, cosines, sines, cos.Length, adjacent);
    }

    /// <summary>
    /// Fills the 8-bit form of row <paramref name="row"/> from its floats. A last block that the columns do not fill is quantised as
    /// if it went on with zeros.
    /// </summary>
    internal void QuantizeRow(in Activations x, int row) => QuantizeRow(x, row, 0, x.Columns);

    /// <summary>
    /// The same of columns <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1, whole blocks but for
    /// the row's last.
    /// </summary>
    internal void QuantizeRow(in Activations x, int row, int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)x.Rows, nameof(row));
        ArgumentOutOfRangeException.ThrowIfNotEqual(first % Activations.BlockSize, 0, nameof(first));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)(first + count), (uint)x.Columns, nameof(count));
        long start = ((long)row * x.Stride) + first;
        long block = start / Activations.BlockSize;
        int whole = count / Activations.BlockSize * Activations.BlockSize;
        Quantize(x.Values + start, whole, x.Quants + start, x.Scales + block, x.Sums + block);
        if (whole < count)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(first + count, x.Columns, nameof(count));
            float* padded = stackalloc float[Activations.BlockSize];
            for (int i = 0; i < Activations.BlockSize; i++)
                padded[i] = whole + i < count ? x.Values[start + whole + i] : 0;
            block += whole / Activations.BlockSize;
            Quantize(padded, Activations.BlockSize, x.Quants + start + whole, x.Scales + block, x.Sums + block);
        }

        if (ReadsPacked && x.Panels != null)
            Panel.FillRow(x, row, first / Activations.BlockSize, whole / Activations.BlockSize);
    }

    /// <summary>
    /// y[i, r] = weights row r · x row inputRows[i], for r in [<paramref name="rowBegin"/>, <paramref name="rowEnd"/>), on the
    /// float form of the activations.
    /// </summary>
    /// <param name="weights"><c>[rows, columns]</c>.</param>
    /// <param name="rowBegin">First weight row.</param>
    /// <param name="rowEnd">One past the last weight row.</param>
    /// <param name="x">Activations <c>[*, columns]</c>.</param>
    /// <param name="inputRows">Which rows of x; empty means all, in order.</param>
    /// <param name="y">Output <c>[inputs, stride]</c>; element r of row i is at i · yStride + r.</param>
    /// <param name="yStride">Elements between output rows.</param>
    internal void MatMulFloat(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, ReadOnlySpan<int> inputRows, Span<float> y, int yStride)
    {
        int inputs = CheckProduct(weights, rowBegin, rowEnd, x, inputRows, y.Length, yStride);
        if (inputs == 0 || rowBegin == rowEnd)
            return;
        fixed (int* rows = inputRows)
        fixed (float* ys = y)
            MatMulFloat(weights, rowBegin, rowEnd, x, new InputRows(rows, inputs), ys, yStride);
    }

    /// <summary>As <see cref="MatMulFloat(in WeightMatrix, int, int, in Activations, ReadOnlySpan{int}, Span{float}, int)"/>, on the
    /// 8-bit form; the weights must be quantised.</summary>
    internal void MatMulQ8(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, ReadOnlySpan<int> inputRows, Span<float> y, int yStride)
    {
        if (!weights.IsQuantized)
            throw new ArgumentException($"{weights.Type} weights take float activations.", nameof(weights));
        int inputs = CheckProduct(weights, rowBegin, rowEnd, x, inputRows, y.Length, yStride);
        if (inputs == 0 || rowBegin == rowEnd)
            return;
        fixed (int* rows = inputRows)
        fixed (float* ys = y)
            MatMulQ8(weights, rowBegin, rowEnd, x, new InputRows(rows, inputs), ys, yStride);
    }

    /// <summary>
    /// As <see cref="MatMulQ8(in WeightMatrix, int, int, in Activations, ReadOnlySpan{int}, Span{float}, int)"/> with the matrix that
    /// was packed, to the bit; <paramref name="rowBegin"/> must be a multiple of <see cref="PackedMatrix.GroupRows"/>.
    /// </summary>
    internal void MatMulPacked(
        PackedMatrix weights, int rowBegin, int rowEnd, in Activations x, ReadOnlySpan<int> inputRows, Span<float> y, int yStride)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rowBegin % PackedMatrix.GroupRows, 0, nameof(rowBegin));
        int inputs = CheckProduct(weights.Rows, weights.Columns, rowBegin, rowEnd, x, inputRows, y.Length, yStride);
        if (inputs == 0 || rowBegin == rowEnd)
            return;
        fixed (int* rows = inputRows)
        fixed (float* ys = y)
            MatMulPacked(weights, rowBegin, rowEnd, x, new InputRows(rows, inputs), ys, yStride);
        GC.KeepAlive(weights);
    }

    /// <summary>y[i, r] = weights row r · x row i, on the float form of the activations, for all rows of both.</summary>
    internal void MatMulTransposed(TransposedMatrix weights, in Activations x, Span<float> y, int yStride)
    {
        if (CheckProduct(weights.Rows, weights.Columns, 0, weights.Rows, x, [], y.Length, yStride) == 0)
            return;
        fixed (float* ys = y)
            MatMulTransposed(weights, x, ys, yStride);
    }

    /// <summary>One row of a weight matrix as floats.</summary>
    internal void DequantizeRow(in WeightMatrix weights, int row, Span<float> y)
    {
        CheckMatrix(weights);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)weights.Rows, nameof(row));
        CheckLength(y.Length, weights.Columns, nameof(y));
        fixed (float* ys = y)
            Dequantize(weights.Type, weights.Data.Pointer + (row * weights.RowBytes), ys, weights.Columns);
    }

    /// <summary>output = activation(gate) · up, element by element; output may be either of them.</summary>
    internal void Gate(GateActivation activation, ReadOnlySpan<float> gate, ReadOnlySpan<float> up, Span<float> output)
    {
        CheckLength(up.Length, gate.Length, nameof(up));
        CheckLength(output.Length, gate.Length, nameof(output));
        fixed (float* gates = gate, ups = up, outputs = output)
        {
            switch (activation)
            {
                case GateActivation.Silu: SwiGlu(gates, ups, outputs, gate.Length); break;
                case GateActivation.Gelu: GeGlu(gates, ups, outputs, gate.Length); break;
                default: ClampedSwiGlu(gates, ups, outputs, gate.Length); break;
            }
        }
    }

    /// <summary>y = y + x.</summary>
    internal void Add(Span<float> y, ReadOnlySpan<float> x)
    {
        CheckLength(x.Length, y.Length, nameof(x));
        fixed (float* ys = y, xs = x)
            Add(ys, xs, y.Length);
    }

    /// <summary>y = fma(scale, x, y).</summary>
    internal void AddScaled(Span<float> y, float scale, ReadOnlySpan<float> x)
    {
        CheckLength(x.Length, y.Length, nameof(x));
        fixed (float* ys = y, xs = x)
            AddScaled(ys, scale, xs, y.Length);
    }

    /// <summary>scores[p] = (q · keys[p]) · scale. Keys are floats of any width.</summary>
    internal void Scores(ReadOnlySpan<float> q, in CacheRows keys, float scale, Span<float> scores)
    {
        CheckFloatRows(keys);
        CheckLength(q.Length, keys.Columns, nameof(q));
        CheckLength(scores.Length, keys.Count, nameof(scores));
        fixed (float* qs = q, targets = scores)
            Scores(qs, keys, scale, targets);
    }

    /// <summary><see cref="Scores(ReadOnlySpan{float}, in CacheRows, float, Span{float})"/> of several queries, each to the bit.</summary>
    /// <param name="queries"><c>[queries, columns]</c>.</param>
    /// <param name="keys">Floats of any width.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="scores">Each query's scores <c>[queries, scoreStride]</c>, of which the first count are written.</param>
    /// <param name="scoreStride">Elements from one query's scores to the next's.</param>
    internal void Scores(in Activations queries, in CacheRows keys, float scale, Span<float> scores, int scoreStride)
    {
        CheckFloatRows(keys);
        CheckLength(queries.Columns, keys.Columns, nameof(queries));
        CheckQueryRows(queries.Rows, scoreStride, keys.Count, scores.Length, nameof(scores));
        fixed (float* targets = scores)
            Scores(queries, keys, scale, targets, scoreStride);
    }

    /// <summary>
    /// Replaces scores by exp(score − max); returns the maximum (NaN if any score is; −∞ of none) and the sum (sixteen partial sums,
    /// then the tree).
    /// </summary>
    internal (float Max, float Sum) ExpOfScores(Span<float> scores)
    {
        fixed (float* values = scores)
            return ExpOfScores(values, scores.Length);
    }

    /// <summary>accumulator = fma(weights[p], values[p], accumulator), position by position. Values are floats of any width.</summary>
    internal void AddWeighted(ReadOnlySpan<float> weights, in CacheRows values, Span<float> accumulator)
    {
        CheckFloatRows(values);
        CheckLength(weights.Length, values.Count, nameof(weights));
        CheckLength(accumulator.Length, values.Columns, nameof(accumulator));
        fixed (float* ws = weights, accumulators = accumulator)
            AddWeighted(ws, values, accumulators);
    }

    /// <summary>
    /// <see cref="AddWeighted(ReadOnlySpan{float}, in CacheRows, Span{float})"/> of several queries, each to the bit.
    /// </summary>
    /// <param name="weights">Each query's weights <c>[queries, weightStride]</c>.</param>
    /// <param name="weightStride">Elements from one query's weights to the next's.</param>
    /// <param name="values">Floats of any width.</param>
    /// <param name="accumulators">Each query's sum <c>[queries, columns]</c>.</param>
    internal void AddWeighted(ReadOnlySpan<float> weights, int weightStride, in CacheRows values, Span<float> accumulators)
    {
        CheckFloatRows(values);
        int queries = values.Columns == 0 ? 0 : accumulators.Length / values.Columns;
        CheckLength(accumulators.Length, queries * values.Columns, nameof(accumulators));
        CheckQueryRows(queries, weightStride, values.Count, weights.Length, nameof(weights));
        fixed (float* ws = weights, sums = accumulators)
            AddWeighted(ws, weightStride, queries, values, sums);
    }

    /// <summary>Cache rows as floats <c>[count, columns]</c>.</summary>
    internal void Widen(in CacheRows rows, Span<float> target)
    {
        CheckRows(rows);
        CheckLength(target.Length, rows.Count * rows.Columns, nameof(target));
        long rowBytes = rows.RowBytes;
        fixed (float* targets = target)
        {
            for (int row = 0; row < rows.Count; row++)
                Dequantize(rows.Type, rows.Data.Pointer + (row * rowBytes), targets + ((long)row * rows.Columns), rows.Columns);
        }
    }

    /// <summary>left = fma(left, leftScale, right · rightScale), element by element: the merge of two attention spans.</summary>
    internal void MergeScaled(Span<float> left, float leftScale, ReadOnlySpan<float> right, float rightScale)
    {
        CheckLength(right.Length, left.Length, nameof(right));
        fixed (float* lefts = left, rights = right)
            MergeScaled(lefts, leftScale, rights, rightScale, left.Length);
    }

    /// <summary>y = y · factor.</summary>
    internal void Multiply(Span<float> y, float factor)
    {
        fixed (float* ys = y)
            Multiply(ys, factor, y.Length);
    }

    /// <summary>y = y / divisor.</summary>
    internal void Divide(Span<float> y, float divisor)
    {
        fixed (float* ys = y)
            Divide(ys, divisor, y.Length);
    }

    /// <summary>Whether no element is NaN or infinite.</summary>
    internal bool AllFinite(ReadOnlySpan<float> x)
    {
        fixed (float* xs = x)
            return AllFinite(xs, x.Length);
    }

    protected abstract void RmsNorm(float* x, float* weight, int count, float epsilon, float* y);

    protected abstract void Rotate(float* x, float* cos, float* sin, int pairs, bool adjacent);

    protected abstract void Quantize(float* x, int columns, sbyte* quants, float* scales, int* sums);

    protected abstract void MatMulFloat(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride);

    protected abstract void MatMulTransposed(TransposedMatrix weights, in Activations x, float* y, int yStride);

    protected abstract void MatMulQ8(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride);

    protected virtual void MatMulPacked(
        PackedMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride) =>
        throw new NotSupportedException($"The kernels of {Name(Isa)} read weights as they are stored.");

    protected abstract void Dequantize(ElementType type, byte* row, float* y, int columns);

    protected abstract void SwiGlu(float* gate, float* up, float* output, int count);

    protected abstract void GeGlu(float* gate, float* up, float* output, int count);

    protected abstract void ClampedSwiGlu(float* gate, float* up, float* output, int count);

    protected abstract void Add(float* y, float* x, int count);

    protected abstract void AddScaled(float* y, float scale, float* x, int count);

    protected abstract void Scores(float* q, in CacheRows keys, float scale, float* scores);

    /// <summary>Several queries, one after the other.</summary>
    protected virtual void Scores(in Activations queries, in CacheRows keys, float scale, float* scores, int scoreStride)
    {
        for (int query = 0; query < queries.Rows; query++)
            Scores(queries.Values + ((long)query * queries.Stride), keys, scale, scores + ((long)query * scoreStride));
    }

    protected abstract (float Max, float Sum) ExpOfScores(float* scores, int count);

    protected abstract void AddWeighted(float* weights, in CacheRows values, float* accumulator);

    /// <summary>Several queries, one after the other.</summary>
    protected virtual void AddWeighted(float* weights, int weightStride, int queries, in CacheRows values, float* accumulators)
    {
        for (int query = 0; query < queries; query++)
            AddWeighted(weights + ((long)query * weightStride), values, accumulators + ((long)query * values.Columns));
    }

    protected abstract void MergeScaled(float* left, float leftScale, float* right, float rightScale, int count);

    protected abstract void Multiply(float* y, float factor, int count);

    protected abstract void Divide(float* y, float divisor, int count);

    protected abstract bool AllFinite(float* x, int count);

    private static string Names => string.Join(", ", Supported.Select(Name));

    private static bool IsSupported(Isa isa) => isa switch
    {
        Isa.Scalar => true,
        Isa.Neon => Lanes128.IsSupported,
        Isa.Avx2 => Lanes256.IsSupported,
        Isa.AvxVnni => Lanes256.IsSupported && AvxVnni.IsSupported,
        Isa.Avx512 => Lanes512.IsSupported,
        _ => false,
    };

    private static KernelSet Create(Isa isa, bool emit, string wish) => isa switch
    {
        _ when !IsSupported(isa) => throw new InvalidRequestException($"{wish} is not in this processor, which has {Names}."),
        Isa.Neon => new VectorKernels<Lanes128, Rows128>(isa, emits: false),
        Isa.Avx2 => new VectorKernels<Lanes256, Rows256<PairedProducts>>(isa, emits: false),
        Isa.AvxVnni => new VectorKernels<Lanes256, Rows256<VnniProducts>>(isa, emits: false),
        Isa.Avx512 => new VectorKernels<Lanes512, Rows512>(isa, emit && EmittedKernels.IsSupported),
        _ => new ScalarKernels(),
    };

    private static void CheckLength(int length, int expected, string name)
    {
        if (length != expected)
            throw new ArgumentException($"{name} holds {length} elements where {expected} belong.", name);
    }

    private static void CheckFloatRows(in CacheRows rows)
    {
        CheckRows(rows);
        if (rows.Type is not (ElementType.F32 or ElementType.F16 or ElementType.BF16))
            throw new ArgumentException($"{rows.Type} rows are widened before they meet a query.", nameof(rows));
    }

    private static void CheckRows(in CacheRows rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows.Count, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfNegative(rows.Columns, nameof(rows));
        if (rows.Count == 0)
            return;
        long columnBytes = ElementFormat.Of(rows.Type).RowBytes(rows.Columns);
        if (rows.RowBytes < columnBytes || ((rows.Count - 1) * rows.RowBytes) + columnBytes > rows.Data.Length)
        {
            throw new ArgumentException(
                $"{rows.Count} cache rows of {rows.Columns} elements, {rows.RowBytes} bytes apart, do not fit {rows.Data.Length} bytes.", nameof(rows));
        }
    }

    /// <summary>Checks that each query has <paramref name="count"/> elements of its own.</summary>
    private static void CheckQueryRows(int queries, int stride, int count, int length, string name)
    {
        if (queries > 0 && (stride < count || ((queries - 1) * (long)stride) + count > length))
            throw new ArgumentException($"{queries} × {count} elements, {stride} apart, are not among {length}.", name);
    }

    private static void CheckMatrix(in WeightMatrix weights)
    {
        if (ElementFormat.Of(weights.Type).RowBytes(weights.Columns) != weights.RowBytes)
        {
            throw new ArgumentException(
                $"Rows of {weights.RowBytes} bytes are not {weights.Columns} {weights.Type} elements.", nameof(weights));
        }
    }

    /// <summary>Checks a matrix product's shapes; returns its number of input rows.</summary>
    private static int CheckProduct(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, ReadOnlySpan<int> inputRows, int yLength, int yStride)
    {
        CheckMatrix(weights);
        return CheckProduct(weights.Rows, weights.Columns, rowBegin, rowEnd, x, inputRows, yLength, yStride);
    }

    private static int CheckProduct(
        int rows, int columns, int rowBegin, int rowEnd, in Activations x, ReadOnlySpan<int> inputRows, int yLength, int yStride)
    {
        CheckLength(x.Columns, columns, nameof(x));
        if ((uint)rowBegin > (uint)rowEnd || rowEnd > rows)
            throw new ArgumentOutOfRangeException(nameof(rowEnd), $"Rows {rowBegin} to {rowEnd} are not among {rows} weight rows.");
        foreach (int row in inputRows)
        {
            if ((uint)row >= (uint)x.Rows)
                throw new ArgumentOutOfRangeException(nameof(inputRows), $"Input row {row} is not among {x.Rows}.");
        }

        int inputs = inputRows.IsEmpty ? x.Rows : inputRows.Length;
        if (inputs > 0 && (yStride < rowEnd && inputs > 1 || ((inputs - 1) * (long)yStride) + rowEnd > yLength || yStride < 0))
        {
            throw new ArgumentException(
                $"{inputs} output rows of {rowEnd} elements, {yStride} apart, do not fit {yLength} elements.", nameof(yStride));
        }

        return inputs;
    }
}
