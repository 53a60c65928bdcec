using ILGPU;
using Pure.Engine.Kernels;

namespace Pure.Gpu.Tests;

/// <summary>One launch gives the bits of two.</summary>
public sealed class QuantizedRowsTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    private const float Epsilon = 1e-6f;

    public static TheoryData<string> Accelerators => GpuFixture.Names;

    private static IEnumerable<(int Rows, int Columns, int Stride)> Shapes => [(1, 32, 32), (3, 96, 100), (2, 160, 160)];

    [Theory, MemberData(nameof(Accelerators))]
    public void A_normalised_row_is_quantised_as_it_would_be_later(string name)
    {
        using var device = new Device(gpu.Open(name));
        foreach ((int rows, int columns, int stride) in Shapes)
        {
            ArrayView<float> x = device.Upload(device.Random(rows * stride));
            ArrayView<float> weight = device.Upload(device.Random(columns));
            Check(
                device,
                rows,
                columns,
                y => device.Elementwise.RmsNorm(x, stride, weight, y, columns, rows, columns, Epsilon),
                y => device.Elementwise.RmsNormQuantized(x, stride, weight, y, rows, Epsilon));
        }
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void A_gated_row_is_quantised_as_it_would_be_later(string name)
    {
        using var device = new Device(gpu.Open(name));
        foreach (GateActivation activation in Enum.GetValues<GateActivation>())
        {
            foreach ((int rows, int columns, int stride) in Shapes)
            {
                ArrayView<float> gate = device.Upload(device.Random(rows * stride, 10));
                ArrayView<float> up = device.Upload(device.Random(rows * columns));
                Check(
                    device,
                    rows,
                    columns,
                    y => device.Elementwise.Gate(activation, gate, stride, up, columns, y, columns, rows, columns),
                    y => device.Elementwise.GateQuantized(activation, gate, stride, up, columns, y, rows));
            }
        }
    }

    [Fact]
    public void Rows_that_begin_between_sixteen_bytes_are_refused()
    {
        using var device = new Device(gpu.Open("cpu"));
        using var y = new DeviceInput(device.Queue, 1, 32);
        ArrayView<float> x = device.Upload(new float[40]);

        Assert.Throws<ArgumentException>(() => device.Elementwise.RmsNormQuantized(x.SubView(1, 32), 32, x, y, 1, Epsilon));
        Assert.Throws<ArgumentException>(() => device.Elementwise.RmsNormQuantized(x, 33, x, y, 1, Epsilon));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Elementwise.RmsNormQuantized(x, 32, x, y, 2, Epsilon));
    }

    /// <summary>One row more than is written, to see that nothing is.</summary>
    private static void Check(Device device, int rows, int columns, Action<ArrayView<float>> apart, Action<DeviceInput> together)
    {
        using var expected = new DeviceInput(device.Queue, rows + 1, columns);
        using var actual = new DeviceInput(device.Queue, rows + 1, columns);
        foreach (DeviceInput input in new[] { expected, actual })
        {
            device.Queue.Upload<float>(Enumerable.Repeat(7f, (rows + 1) * columns).ToArray(), input.Values);
            new MatMul(device.Queue).Quantize(input, rows + 1);
        }

        apart(expected.Values);
        new MatMul(device.Queue).Quantize(expected, rows);
        long launches = device.Queue.Launches;
        together(actual);

        Assert.Equal(launches + 1, device.Queue.Launches);
        Assert.Equal(device.Read(expected.Values), device.Read(actual.Values));
        Assert.Equal(Codes(device, expected), Codes(device, actual));
        Assert.Equal(device.Read(expected.View.Scales), device.Read(actual.View.Scales));
        Assert.Equal(device.Read(expected.View.Sums), device.Read(actual.View.Sums));
        Assert.Contains(Codes(device, actual)[..(rows * columns / 4)], code => code != Codes(device, actual)[^1]);
    }

    private static int[] Codes(Device device, DeviceInput input) => device.Read(input.View.Codes.Cast<int>());
}
