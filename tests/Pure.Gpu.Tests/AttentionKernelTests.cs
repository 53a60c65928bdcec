using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

public sealed class AttentionKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    // Products and sums of up to 150 floats, and exponentials, are right to a few 1e-7 each; 3e-6 squared.
    private const double Tolerance = 1e-11;

    private static readonly (int Text, int Position)[] Rows = [(0, 149), (1, 69), (0, 130), (1, 3), (0, 127)];

    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Grouped_queries_attend_as_in_double_precision(string name)
    {
        Accelerator accelerator = gpu.Open(name);
        Check(accelerator, CacheType.F16, new GroupedQueryShape(4, 2, 16, 16), 0, false);
        Check(accelerator, CacheType.F32, new GroupedQueryShape(2, 2, 8, 24), 0, false);
        Check(accelerator, CacheType.F16, new GroupedQueryShape(3, 1, 24, 8), 0, false);
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void Heads_beyond_a_group_go_to_other_groups(string name) =>
        Check(gpu.Open(name), CacheType.F16, new GroupedQueryShape(18, 2, 8, 8), 0, false);

    [Theory, MemberData(nameof(Accelerators))]
    public void A_window_hides_what_is_before_it(string name)
    {
        Check(gpu.Open(name), CacheType.F16, new GroupedQueryShape(4, 2, 8, 8), 5, false);
        Check(gpu.Open(name), CacheType.F16, new GroupedQueryShape(4, 2, 8, 8), 70, false);
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void A_sink_takes_its_share_of_each_head(string name) =>
        Check(gpu.Open(name), CacheType.F16, new GroupedQueryShape(4, 2, 8, 8), 20, true);

    [Theory, MemberData(nameof(Accelerators))]
    public void Latents_are_keys_and_values_of_all_heads(string name) =>
        Check(gpu.Open(name), CacheType.F16, AttentionShape.Of(new LatentShape(4, 16, 8, 8, 8), 0.4), null);

    [Fact]
    public void Groups_of_several_warps_attend_alike()
    {
        using Context context = Context.Create(builder => Gpu.Accelerators.Configure(builder).CPU(new CPUDevice(4, 4, 1)));
        using Accelerator accelerator = context.GetCPUDevice(0).CreateAccelerator(context);
        Assert.Equal(16, accelerator.MaxNumThreadsPerGroup);
        Check(accelerator, CacheType.F16, new GroupedQueryShape(4, 2, 16, 8), 0, true);
        Check(accelerator, CacheType.F16, new GroupedQueryShape(2, 2, 8, 40), 0, false);
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void A_row_attends_alike_in_any_batch_and_again(string name)
    {
        AttentionShape shape = AttentionShape.Of(new GroupedQueryShape(4, 2, 8, 8), 0.3, 0, false);
        using var texts = new CachedTexts(gpu.Open(name), shape.Columns, CacheType.F16, 150, 70);
        float[] queries = Queries(shape, Rows.Length);
        float[] together = texts.Attend(shape, queries, null, Rows);
        Assert.Equal(together, texts.Attend(shape, queries, null, Rows));
        int columns = shape.Heads * shape.KeySize;
        int values = shape.Heads * shape.ValueSize;
        Assert.Equal(
            together[(2 * values)..(3 * values)],
            texts.Attend(shape, queries[(2 * columns)..(3 * columns)], null, Rows[2]));
    }

    private static void Check(Accelerator accelerator, CacheType type, GroupedQueryShape shape, int window, bool hasSinks)
    {
        float[]? sinks = hasSinks ? [.. Enumerable.Range(0, shape.Heads).Select(head => 0.5f * head)] : null;
        Check(accelerator, type, AttentionShape.Of(shape, 1 / Math.Sqrt(shape.KeySize), window, hasSinks), sinks);
    }

    private static void Check(Accelerator accelerator, CacheType type, AttentionShape shape, float[]? sinks)
    {
        using var texts = new CachedTexts(accelerator, shape.Columns, type, 150, 70);
        float[] queries = Queries(shape, Rows.Length);
        float[] few = texts.Attend(shape, queries, sinks, Rows);
        Assert.InRange(DoubleAttention.Nmse(DoubleAttention.Of(texts, shape, queries, sinks, Rows), few), 0, Tolerance);

        // So many rows that each goes through its spans alone: the same rows over and over.
        const int Times = (DeviceRows.MaxCutRows / 5) + 1;
        float[] many = texts.Attend(
            shape,
            [.. Enumerable.Repeat(queries, Times).SelectMany(row => row)],
            sinks,
            [.. Enumerable.Repeat(Rows, Times).SelectMany(row => row)]);
        double[] expected = [.. few.Select(value => (double)value)];
        for (int time = 0; time < Times; time++)
            Assert.InRange(DoubleAttention.Nmse(expected, many[(time * few.Length)..((time + 1) * few.Length)]), 0, Tolerance);
    }

    private static float[] Queries(AttentionShape shape, int rows)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, rows * shape.Heads * shape.KeySize).Select(_ => (4 * random.NextSingle()) - 2)];
    }
}
