using ILGPU;

namespace Pure.Gpu.Tests;

public sealed class AddKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Scaled_rows_are_added_with_one_rounding(string name)
    {
        using var device = new Device(gpu.Open(name));
        foreach ((int rows, int columns, int stride) in new[] { (1, 1, 1), (2, 7, 8), (1, 52, 52), (3, 8, 12), (2, 12, 14) })
        {
            float[] x = device.Random(rows * stride);
            float[] y = device.Random(rows * stride);
            ArrayView<float> sum = device.Upload(y);

            device.Elementwise.AddScaled(device.Upload(x), stride, 0.3f, sum, stride, rows, columns);

            float[] expected = [.. y.Select((value, i) => i % stride < columns ? MathF.FusedMultiplyAdd(0.3f, x[i], value) : value)];
            Assert.Equal(expected, device.Read(sum));
        }
    }

    /// <summary>A view may begin anywhere in a buffer, where sixteen bytes at once are not to be had.</summary>
    [Theory, MemberData(nameof(Accelerators))]
    public void Rows_may_begin_between_sixteen_bytes(string name)
    {
        using var device = new Device(gpu.Open(name));
        float[] x = device.Random(9);
        float[] y = device.Random(9);
        ArrayView<float> sum = device.Upload(y);

        device.Elementwise.AddScaled(device.Upload(x).SubView(1, 8), 8, 1, sum.SubView(1, 8), 8, 1, 8);

        Assert.Equal(y.Select((value, i) => i > 0 ? value + x[i] : value), device.Read(sum));
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void Rows_are_divided(string name)
    {
        using var device = new Device(gpu.Open(name));
        foreach ((int rows, int columns, int stride) in new[] { (2, 7, 9), (2, 8, 8) })
        {
            float[] y = device.Random(rows * stride);
            ArrayView<float> quotient = device.Upload(y);

            device.Elementwise.Divide(quotient, stride, rows, columns, 3);

            Assert.Equal(y.Select((value, i) => i % stride < columns ? value / 3 : value), device.Read(quotient));
        }
    }
}
