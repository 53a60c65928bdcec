using ILGPU.Runtime;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

public sealed class RmsNormKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    public static TheoryData<string> Accelerators => GpuFixture.Names;

    /// <summary>Sums of a thousand floats in another order: a few units in the last place.</summary>
    private const double Tolerance = 1e-6;

    [Theory, MemberData(nameof(Accelerators))]
    public void Rows_are_normalised_as_in_double_precision(string name)
    {
        Accelerator accelerator = gpu.Open(name);
        var run = accelerator.LoadStreamKernel<ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, int, float>(RmsNormKernel.Run);
        foreach ((int rows, int columns) in new[] { (1, 1), (3, 33), (2, 300) })
        {
            var random = new Random(columns);
            float[] x = [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)];
            float[] weight = [.. Enumerable.Range(0, columns).Select(_ => random.NextSingle() + 0.5f)];
            using MemoryBuffer1D<float, ILGPU.Stride1D.Dense> input = accelerator.Allocate1D(x);
            using MemoryBuffer1D<float, ILGPU.Stride1D.Dense> gain = accelerator.Allocate1D(weight);
            using MemoryBuffer1D<float, ILGPU.Stride1D.Dense> output = accelerator.Allocate1D<float>(x.Length);
            run((rows, accelerator.WarpSize), input.View, gain.View, output.View, columns, 1e-5f);
            float[] y = output.GetAsArray1D();
            for (int row = 0; row < rows; row++)
            {
                double square = x.Skip(row * columns).Take(columns).Sum(value => (double)value * value) / columns;
                for (int column = 0; column < columns; column++)
                {
                    double expected = x[(row * columns) + column] / Math.Sqrt(square + 1e-5) * weight[column];
                    Assert.Equal(expected, y[(row * columns) + column], Math.Abs(expected) * Tolerance);
                }
            }
        }
    }
}
