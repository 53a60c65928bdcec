using System.Runtime.InteropServices;
using ILGPU.Runtime;
using Pure.Engine.Quantization;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

public sealed class QuantizeTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Activations_become_the_engine_s_codes_to_the_bit(string name)
    {
        using var queue = new GpuQueue(gpu.Open(name));
        var matMul = new MatMul(queue);
        foreach ((int rows, int columns) in new[] { (1, 32), (3, 64), (2, 288) })
        {
            float[] x = Activations(rows * columns);
            using var input = new DeviceInput(queue, rows, columns);
            queue.Upload<float>(x, input.Values);
            matMul.Quantize(input, rows);

            (sbyte[] codes, float[] scales, int[] sums) = Expected(x, columns);
            InputView view = input.View;
            var actualCodes = new sbyte[codes.Length];
            var actualScales = new float[scales.Length];
            var actualSums = new int[sums.Length];
            queue.ReadBack(view.Codes.Cast<sbyte>(), actualCodes);
            queue.ReadBack(view.Scales, actualScales);
            queue.ReadBack(view.Sums, actualSums);
            Assert.Equal(codes, actualCodes);
            Assert.Equal(MemoryMarshal.Cast<float, uint>(scales).ToArray(), MemoryMarshal.Cast<float, uint>(actualScales).ToArray());
            Assert.Equal(sums, actualSums);
        }
    }

    /// <summary>The engine's 8-bit form of rows.</summary>
    internal static unsafe (sbyte[] Codes, float[] Scales, int[] Sums) Expected(float[] x, int columns)
    {
        var codes = new sbyte[x.Length];
        var scales = new float[x.Length / 32];
        var sums = new int[x.Length / 32];
        fixed (float* values = x, d = scales)
        fixed (sbyte* q = codes)
        fixed (int* s = sums)
        {
            for (int start = 0; start < x.Length; start += columns)
                Q8Activations.Quantize(values + start, columns, q + start, d + (start / 32), s + (start / 32));
        }

        return (codes, scales, sums);
    }

    /// <summary>Blocks of many sizes; halves between two codes; zeros, and what is no number.</summary>
    private static float[] Activations(int count)
    {
        var random = new Random(count);
        float[] x = [.. Enumerable.Range(0, count).Select(i => (random.NextSingle() - 0.5f) * MathF.Pow(10, (i / 32 % 9 * 4) - 18))];
        for (int i = 0; i < 32; i++)
            x[i] = i == 0 ? 127 : i - 16.5f;
        if (count > 32 * 4)
        {
            x.AsSpan(32, 32).Clear();
            x[66] = float.NaN;
            x[97] = float.NegativeInfinity;
        }

        return x;
    }
}
