using ILGPU;
using Pure.Engine.Layers;

namespace Pure.Gpu.Tests;

public sealed class GroupKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Pairs_are_sorted_by_expert_and_then_by_row(string name)
    {
        using var device = new Device(gpu.Open(name));
        foreach ((int rows, int experts, int used) in new[] { (1, 4, 1), (1, 20, 6), (2, 4, 4), (5, 130, 8), (40, 6, 3) })
        {
            var shape = new RouterShape(experts, used, GateFunction.Softmax, 1, 1, true, 1);
            using var routing = new Routing(device.Queue, shape, rows);

            routing.Choose(device.Upload(device.Random(rows * experts)), experts, default, rows);

            AssertGrouped(device, routing, device.Read(routing.ExpertOfPair));
        }
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void A_row_costs_one_launch_and_several_two(string name)
    {
        using var device = new Device(gpu.Open(name));
        using var routing = new Routing(device.Queue, new RouterShape(8, 2, GateFunction.Softmax, 1, 1, true, 1), 3);
        ArrayView<float> logits = device.Upload(device.Random(24));
        long allocations = device.Queue.Allocations;

        routing.Choose(logits, 8, default, 1);
        Assert.Equal(1, device.Queue.Launches);
        routing.Choose(logits, 8, default, 3);
        Assert.Equal(3, device.Queue.Launches);

        Assert.Equal(0, device.Queue.ReadBacks);
        Assert.Equal(allocations, device.Queue.Allocations);
    }

    /// <summary>The sorted arrays against a stable sort of the pairs.</summary>
    internal static void AssertGrouped(Device device, Routing routing, int[] experts)
    {
        int used = routing.Shape.Used;
        int[] pairs = [.. Enumerable.Range(0, experts.Length).OrderBy(pair => experts[pair])];
        var slots = new int[pairs.Length];
        for (int slot = 0; slot < pairs.Length; slot++)
            slots[pairs[slot]] = slot;

        Assert.Equal(slots, device.Read(routing.SlotOfPair));
        Assert.Equal(pairs.Select(pair => pair / used), device.Read(routing.RowOfSlot));
        Assert.Equal(pairs.Select(pair => experts[pair]), device.Read(routing.ExpertOfSlot));
        Assert.Equal(
            Enumerable.Range(0, routing.Shape.Experts + 1).Select(expert => experts.Count(chosen => chosen < expert)),
            device.Read(routing.FirstSlotOfExpert));
    }
}
