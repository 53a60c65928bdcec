using Pure.Engine.Kernels;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467, equation 4).</summary>
/// <param name="cpu">What to compute with.</param>
/// <param name="weight">Gain <c>[columns]</c>.</param>
/// <param name="epsilon">Added to the mean square.</param>
internal sealed class RmsNorm(Cpu cpu, float[] weight, float epsilon)
{
    /// <summary>Columns it normalises.</summary>
    internal int Size => weight.Length;

    /// <summary>Gain <c>[columns]</c>.</summary>
    internal ReadOnlySpan<float> Weight => weight;

    /// <summary>Added to the mean square.</summary>
    internal float Epsilon => epsilon;

    /// <summary>Normalises every row of <paramref name="x"/> into <paramref name="y"/>, and makes its 8-bit form where asked.</summary>
    internal void Forward(in Activations x, in Activations y, bool quantize) =>
        cpu.Pool.Run(new Job(this, x, y, quantize), x.Rows, grain: 1);

    /// <summary>One row, on this thread; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    internal void Row(ReadOnlySpan<float> x, Span<float> y) => cpu.Kernels.RmsNorm(x, weight, epsilon, y);

    private void Rows(int begin, int end, in Activations x, in Activations y, bool quantize)
    {
        for (int row = begin; row < end; row++)
        {
            Row(x.Row(row), y.Row(row));
            if (quantize)
                cpu.Kernels.QuantizeRow(y, row);
        }
    }

    private readonly struct Job(RmsNorm norm, Activations x, Activations y, bool quantize) : IRangeJob
    {
        public void Run(int begin, int end) => norm.Rows(begin, end, x, y, quantize);
    }
}
