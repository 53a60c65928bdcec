using ILGPU;
using ILGPU.Runtime;

namespace Pure.Gpu.Tests;

public sealed class RmsNormKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    private const float Epsilon = 1e-5f;

    /// <summary>Sums of a thousand floats in another order: a few units in the last place.</summary>
    private const double Tolerance = 1e-6;

    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Rows_are_normalised_as_in_double_precision(string name)
    {
        using var device = new Device(gpu.Open(name));
        foreach ((int rows, int columns, int stride) in new[] { (1, 1, 1), (3, 33, 37), (2, 300, 304), (2, 12, 13), (1, 1024, 1024) })
        {
            float[] x = device.Random(rows * stride);
            float[] weight = device.Random(columns);
            ArrayView<float> y = device.Upload(device.Random(rows * stride));

            device.Elementwise.RmsNorm(device.Upload(x), stride, device.Upload(weight), y, stride, rows, columns, Epsilon);

            AssertNormalised(x, weight, device.Read(y), rows, columns, stride);
        }
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void A_row_may_be_normalised_where_it_lies(string name)
    {
        using var device = new Device(gpu.Open(name));
        float[] x = device.Random(2 * 40);
        float[] weight = device.Random(40);
        ArrayView<float> y = device.Upload(x);

        device.Elementwise.RmsNorm(y, 40, device.Upload(weight), y, 40, 2, 40, Epsilon);

        AssertNormalised(x, weight, device.Read(y), 2, 40, 40);
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void A_large_row_gives_the_same_bits_again(string name)
    {
        using var device = new Device(gpu.Open(name));
        ArrayView<float> x = device.Upload(device.Random(2000));
        ArrayView<float> weight = device.Upload(device.Random(2000));
        ArrayView<float> first = device.Upload(new float[2000]);
        ArrayView<float> second = device.Upload(new float[2000]);

        device.Elementwise.RmsNorm(x, 2000, weight, first, 2000, 1, 2000, Epsilon);
        device.Elementwise.RmsNorm(x, 2000, weight, second, 2000, 1, 2000, Epsilon);

        Assert.Equal(device.Read(first), device.Read(second));
    }

    private static void AssertNormalised(float[] x, float[] weight, float[] y, int rows, int columns, int stride)
    {
        for (int row = 0; row < rows; row++)
        {
            double square = x.Skip(row * stride).Take(columns).Sum(value => (double)value * value) / columns;
            for (int column = 0; column < columns; column++)
            {
                double expected = x[(row * stride) + column] / Math.Sqrt(square + Epsilon) * weight[column];
                Assert.Equal(expected, y[(row * stride) + column], Math.Abs(expected) * Tolerance);
            }
        }
    }
}
