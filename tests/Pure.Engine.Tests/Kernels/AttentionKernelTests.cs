using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Emit;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Kernels;

/// <summary>Several queries that share keys and values get the bits that each alone gets by the definition, on every path.</summary>
public sealed class AttentionKernelTests
{
    private static readonly KernelSet Scalar = KernelSet.Select(Isa.Scalar);

    /// <summary>Instruction sets, and whether machine code is written, for each type of floats.</summary>
    public static TheoryData<string, bool, ElementType> Paths
    {
        get
        {
            var paths = new TheoryData<string, bool, ElementType>();
            foreach (ElementType type in (ElementType[])[ElementType.F32, ElementType.F16, ElementType.BF16])
            {
                paths.Add("avx2", false, type);
                paths.Add("avx512", false, type);
                paths.Add("avx512", true, type);
            }

            return paths;
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Scores_of_several_queries_give_the_bits_of_each_alone(string isa, bool emit, ElementType type)
    {
        KernelSet kernels = Require(isa, emit);
        var random = new Random(31);
        foreach (int columns in Columns())
        {
            int queries = random.Next(1, 10);
            int count = random.Next(1, 70);
            int scoreStride = count + random.Next(3);
            using GuardedMemory<byte> data = Rows(random, type, columns, count, out CacheRows rows);
            using var q = new ActivationBuffer(queries, columns);
            using var expected = new GuardedMemory<float>(((queries - 1) * scoreStride) + count);
            using var actual = new GuardedMemory<float>(expected.Length);
            Activations qs = q.Rows(queries);
            for (int query = 0; query < queries; query++)
            {
                random.FillAwkward(qs.Row(query));
                Scalar.Scores(qs.Row(query), rows, 0.125f, expected.Span.Slice(query * scoreStride, count));
            }

            kernels.Scores(qs, rows, 0.125f, actual.Span, scoreStride);
            KernelCases.AssertSameBits(expected.Span, actual.Span, $"{queries} queries, {count} keys of {columns} columns");
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Weighted_sums_of_several_queries_give_the_bits_of_each_alone(string isa, bool emit, ElementType type)
    {
        KernelSet kernels = Require(isa, emit);
        var random = new Random(29);
        foreach (int columns in Columns())
        {
            int queries = random.Next(1, 10);
            int count = random.Next(1, 70);
            int weightStride = count + random.Next(3);
            using GuardedMemory<byte> data = Rows(random, type, columns, count, out CacheRows rows);
            using var weights = new GuardedMemory<float>(((queries - 1) * weightStride) + count);
            using var expected = new GuardedMemory<float>(queries * columns);
            using var actual = new GuardedMemory<float>(queries * columns);
            random.FillAwkward(weights.Span);
            random.FillAwkward(expected.Span);
            expected.Span.CopyTo(actual.Span);
            for (int query = 0; query < queries; query++)
            {
                Scalar.AddWeighted(
                    weights.Span.Slice(query * weightStride, count), rows, expected.Span.Slice(query * columns, columns));
            }

            kernels.AddWeighted(weights.Span, weightStride, rows, actual.Span);
            KernelCases.AssertSameBits(expected.Span, actual.Span, $"{queries} queries, {count} positions, {columns} columns");
        }
    }

    /// <summary>Without this, kernels that were refused would pass every other test.</summary>
    [Theory]
    [InlineData(ElementType.F32)]
    [InlineData(ElementType.F16)]
    [InlineData(ElementType.BF16)]
    public unsafe void Emitted_kernels_are_used_where_the_processor_has_the_instructions(ElementType type)
    {
        Require("avx512", emit: true);
        const int Count = 16;
        const int Size = 80;
        using GuardedMemory<byte> data = Rows(new Random(1), type, Size, Count, out CacheRows rows);
        using var floats = new AlignedBuffer<float>(4 * Size);
        using var scores = new AlignedBuffer<float>(4 * Count);
        foreach (int queries in (int[])[1, 2, 4])
        {
            Assert.Equal(Count, EmittedAttention.Scores(queries, floats.Pointer, Size, rows, 1, scores.Pointer, Count));
            Assert.True(EmittedAttention.AddWeighted(queries, scores.Pointer, Count, rows, floats.Pointer, Size));
        }
    }

    private static KernelSet Require(string isa, bool emit)
    {
        Isa wish = KernelCases.Require(isa).Isa;
        KernelSet kernels = KernelSet.Select(wish, emit);
        if (emit && !kernels.Emits)
            Assert.Skip("machine code is not written in this process, or the processor lacks the instructions");
        Assert.Equal(emit, kernels.Emits);
        return kernels;
    }

    // Every number of columns up to eighty, then those of real heads, and more that are no multiple of sixteen.
    private static IEnumerable<int> Columns() => Enumerable.Range(1, 80).Concat([96, 112, 128, 130, 192, 200, 256, 512, 576]);

    private static GuardedMemory<byte> Rows(Random random, ElementType type, int columns, int count, out CacheRows rows)
    {
        int stride = columns + random.Next(3);
        GuardedMemory<byte> data = random.RandomWeights(type, 1, ((count - 1) * stride) + columns);
        rows = CacheRows.Apart(data.View, type, stride, columns, count);
        return data;
    }
}
