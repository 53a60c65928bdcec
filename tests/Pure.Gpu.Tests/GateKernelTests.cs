using ILGPU;
using Pure.Engine.Kernels;

namespace Pure.Gpu.Tests;

public sealed class GateKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    /// <summary>
    /// The exponential is the engine's own, of fused multiply-adds in both places; a compiler may fuse more of them around it (the engine
    /// does not), which moves the last place or two.
    /// </summary>
    private const float Tolerance = 5e-7f;

    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Gates_are_the_engine_s(string name)
    {
        using var device = new Device(gpu.Open(name));
        KernelSet engine = Scalar.Kernels;
        foreach (GateActivation activation in Enum.GetValues<GateActivation>())
        {
            foreach ((int rows, int columns, int stride) in new[] { (1, 1, 1), (2, 7, 8), (1, 52, 52), (3, 8, 12), (2, 12, 14) })
            {
                float[] gate = device.Random(rows * stride, 20);
                float[] up = device.Random(rows * stride, 10);
                gate[0] = -200;
                ArrayView<float> y = device.Upload(gate);

                device.Elementwise.Gate(activation, y, stride, device.Upload(up), stride, y, stride, rows, columns);

                float[] actual = device.Read(y);
                float[] expected = [.. gate];
                for (int row = 0; row < rows; row++)
                {
                    Range here = (row * stride)..((row * stride) + columns);
                    engine.Gate(activation, gate.AsSpan(here), up.AsSpan(here), expected.AsSpan(here));
                }

                Near.Assert(expected, actual, Tolerance);
            }
        }
    }
}
