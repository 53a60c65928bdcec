using ILGPU;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Gpu.Tests;

public sealed class CombineKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    /// <summary>The same fused multiply-adds in the same order; only the shared gate's sigmoid may differ, by a unit in the last place.</summary>
    private const float Tolerance = 1e-6f;

    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Experts_are_summed_in_the_order_of_their_rank_and_the_shared_one_last(string name)
    {
        using var device = new Device(gpu.Open(name));
        foreach (int columns in new[] { 7, 16 })
        {
            foreach ((bool hasShared, bool hasGate) in new[] { (false, false), (true, false), (true, true) })
                Check(device, columns, hasShared, hasGate);
        }
    }

    private static void Check(Device device, int columns, bool hasShared, bool hasGate)
    {
        const int Rows = 3;
        var shape = new RouterShape(6, 3, GateFunction.Sigmoid, 1, 1, true, 1);
        using var routing = new Routing(device.Queue, shape, Rows);
        routing.Choose(device.Upload(device.Random(Rows * shape.Experts)), shape.Experts, default, Rows);
        float[] outputs = device.Random(Rows * shape.Used * columns);
        float[] shared = device.Random(Rows * columns);
        float[] sharedGate = device.Random(Rows);
        ArrayView<float> y = device.Upload(device.Random(Rows * columns));

        device.Elementwise.Combine(
            routing.Pairs,
            device.Upload(outputs),
            columns,
            hasShared ? device.Upload(shared) : default,
            columns,
            hasGate ? device.Upload(sharedGate) : default,
            1,
            y,
            columns,
            Rows,
            columns);

        int[] slots = device.Read(routing.SlotOfPair);
        float[] weights = device.Read(routing.WeightOfPair);
        var expected = new float[Rows * columns];
        for (int row = 0; row < Rows; row++)
        {
            Span<float> sum = expected.AsSpan(row * columns, columns);
            for (int pair = row * shape.Used; pair < (row + 1) * shape.Used; pair++)
                Scalar.Kernels.AddScaled(sum, weights[pair], outputs.AsSpan(slots[pair] * columns, columns));
            if (hasShared)
                Scalar.Kernels.AddScaled(sum, hasGate ? Elementary.Sigmoid(sharedGate[row]) : 1, shared.AsSpan(row * columns, columns));
        }

        float[] actual = device.Read(y);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], Tolerance);
    }
}
