using ILGPU;
using Pure.Engine.Layers;

namespace Pure.Gpu.Tests;

public sealed class RouterKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    /// <summary>A softmax's sum over up to 130 experts in another order, and roundings fused: some units in the last place.</summary>
    private const float Tolerance = 2e-6f;

    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Experts_are_those_that_the_engine_chooses(string name)
    {
        using var device = new Device(gpu.Open(name));
        var random = new Random(5);
        for (int round = 0; round < 60; round++)
        {
            int groups = random.Next(2) == 0 ? 1 : random.Next(1, 9);
            int experts = groups * Math.Max((4 + groups - 1) / groups, random.Next(1, (130 / groups) + 1));
            int usedGroups = random.Next(1, groups + 1);
            int used = random.Next(1, Math.Min(8, usedGroups * (experts / groups)) + 1);
            var shape = new RouterShape(
                experts,
                used,
                (GateFunction)random.Next(1, 4),
                groups,
                usedGroups,
                random.Next(2) == 0,
                random.Next(2) == 0 ? 1 : 2.5f,
                (GroupScore)random.Next(2));
            Check(device, shape, Logits(random, experts, random.Next(1, 6), round % 4), random.Next(2) == 0 ? device.Random(experts, 0.1f) : null);
        }
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void As_many_experts_and_groups_as_fit_are_chosen_from(string name)
    {
        using var device = new Device(gpu.Open(name));
        var random = new Random(6);
        Check(device, new RouterShape(512, 8, GateFunction.Softmax, 1, 1, true, 1), Logits(random, 512, 2, 0), null);
        Check(device, new RouterShape(512, 64, GateFunction.Sigmoid, 8, 4, true, 2.5f), Logits(random, 512, 1, 0), device.Random(512));
        Check(device, new RouterShape(512, 8, GateFunction.SoftmaxOfChosen, 512, 16, true, 1), Logits(random, 512, 1, 0), null);
    }

    [Fact]
    public void What_does_not_fit_is_told_before()
    {
        var fits = new RouterShape(512, 8, GateFunction.Softmax, 1, 1, true, 1);

        Assert.True(Routing.Fits(fits));
        Assert.False(Routing.Fits(fits with { Experts = 513 }));
        Assert.False(Routing.Fits(fits with { Used = 65 }));
        Assert.False(Routing.Fits(fits with { Groups = 3 }));
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void Logits_that_are_not_numbers_still_name_experts(string name)
    {
        using var device = new Device(gpu.Open(name));
        var shape = new RouterShape(9, 4, GateFunction.Softmax, 1, 1, true, 1);
        using var routing = new Routing(device.Queue, shape, 2);

        routing.Choose(device.Upload(Enumerable.Repeat(float.NaN, 18).ToArray()), 9, default, 2);

        Assert.All(device.Read(routing.ExpertOfPair), expert => Assert.InRange(expert, 0, 8));
    }

    /// <summary>Rows of logits: 0 usual ones, 1 few different ones and so many ties, 2 very negative ones, 3 far apart.</summary>
    private static float[][] Logits(Random random, int experts, int rows, int kind) =>
    [
        .. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, experts).Select(_ => kind switch
        {
            0 => (random.NextSingle() * 8) - 4,
            1 => random.Next(3),
            2 => -90 - (random.NextSingle() * 30),
            _ => (random.NextSingle() - 0.5f) * 300,
        }).ToArray()),
    ];

    private static void Check(Device device, RouterShape shape, float[][] logits, float[]? bias)
    {
        int rows = logits.Length;
        int stride = shape.Experts + 3;
        var router = new Router(shape, bias);
        using var routing = new Routing(device.Queue, shape, rows);
        float[] strided = [.. logits.SelectMany(row => row.Concat([1000, 1000, 1000]))];

        routing.Choose(device.Upload(strided), stride, bias is null ? default : device.Upload(bias), rows);

        int[] experts = device.Read(routing.ExpertOfPair);
        float[] weights = device.Read(routing.WeightOfPair);
        var expected = new int[shape.Used];
        var expectedWeights = new float[shape.Used];
        for (int row = 0; row < rows; row++)
        {
            router.Choose(logits[row], expected, expectedWeights);
            Assert.Equal(expected, experts.AsSpan(row * shape.Used, shape.Used).ToArray());
            Near.Assert(expectedWeights, weights.AsSpan(row * shape.Used, shape.Used), Tolerance);
        }

        GroupKernelTests.AssertGrouped(device, routing, experts);
    }
}
