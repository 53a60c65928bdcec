using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Layers;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>
/// A matrix for each head of latent attention, <c>[heads, outputs, inputs]</c>, at half precision: W_UKᵀ, which queries absorb, or W_UV. Files keep
/// them at that precision or less, so that rounding adds at most 2^-11 of an element.
/// </summary>
internal sealed class HeadMatrices : IDisposable
{
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> _words;

    /// <param name="queue">The device.</param>
    /// <param name="heads">Matrices of one shape, whose inputs are a multiple of eight up to <see cref="HeadMatVecKernel.MaxInputs"/>.</param>
    internal HeadMatrices(GpuQueue queue, ReadOnlySpan<Linear> heads)
    {
        Heads = heads.Length;
        Outputs = heads[0].Outputs;
        Inputs = heads[0].Inputs;
        ArgumentOutOfRangeException.ThrowIfNotEqual(IsSupported(Inputs), true, nameof(heads));
        long matrixWords = default(StoredF16).Words((long)Outputs * Inputs);
        _words = queue.Allocate<uint>(Heads * matrixWords);
        var elements = new float[Inputs];
        var halves = new System.Half[Outputs * Inputs];
        for (int head = 0; head < Heads; head++)
        {
            for (int row = 0; row < Outputs; row++)
            {
                if (heads[head].Transposed is { } transposed)
                    transposed.Row(row, elements);
                else
                    heads[head].Row(row, elements);
                for (int column = 0; column < Inputs; column++)
                    halves[(row * Inputs) + column] = (System.Half)elements[column];
            }

            queue.Upload<uint>(MemoryMarshal.Cast<System.Half, uint>(halves), _words.View.SubView(head * matrixWords, matrixWords));
        }
    }

    /// <summary>Number of heads.</summary>
    internal int Heads { get; }

    /// <summary>Rows of each head's matrix.</summary>
    internal int Outputs { get; }

    /// <summary>Columns of each head's matrix.</summary>
    internal int Inputs { get; }

    /// <summary>The elements <c>[heads, outputs, inputs]</c>.</summary>
    internal ArrayView<uint> Words => _words.View;

    /// <summary>Whether the kernels multiply rows of this many inputs.</summary>
    internal static bool IsSupported(int inputs) => inputs % 8 == 0 && inputs <= HeadMatVecKernel.MaxInputs;

    /// <inheritdoc/>
    public void Dispose() => _words.Dispose();
}
