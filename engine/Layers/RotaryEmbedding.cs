using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Layers;

/// <summary>
/// Rotary position embedding (Su et al. 2021, arXiv:2104.09864, section 3.4). Pair i of a head's rotary dimensions is turned by
/// position · frequency[i]. Angles are computed once per batch, in double precision, and shared by all layers.
/// </summary>
internal sealed class RotaryEmbedding : IDisposable
{
    private readonly double[] _frequencies;
    private readonly double _magnitude;
    private readonly bool _adjacent;
    private readonly AlignedBuffer<float> _cos;
    private readonly AlignedBuffer<float> _sin;

    /// <param name="scaling">How frequencies are stretched, and the factor on cosines and sines.</param>
    /// <param name="theta">Base of the frequencies.</param>
    /// <param name="pairs">Half the rotary dimensions of a head.</param>
    /// <param name="adjacent">Pairs are (2i, 2i+1); otherwise (i, i + half).</param>
    /// <param name="maxRows">Most rows of a batch.</param>
    internal RotaryEmbedding(RotaryScaling scaling, double theta, int pairs, bool adjacent, int maxRows)
    {
        Scaling = scaling;
        Theta = theta;
        _frequencies = scaling.Frequencies(theta, pairs);
        _magnitude = scaling.Magnitude;
        _adjacent = adjacent;
        _cos = new AlignedBuffer<float>((long)maxRows * pairs);
        _sin = new AlignedBuffer<float>((long)maxRows * pairs);
    }

    /// <summary>Rotary dimensions of a head.</summary>
    internal int Dimensions => 2 * _frequencies.Length;

    /// <summary>How frequencies are stretched, and the factor on cosines and sines.</summary>
    internal RotaryScaling Scaling { get; }

    /// <summary>Base of the frequencies.</summary>
    internal double Theta { get; }

    /// <summary>Whether pairs are (2i, 2i+1); otherwise (i, i + half).</summary>
    internal bool PairsAdjacent => _adjacent;

    /// <summary>Computes the angles of a batch's rows.</summary>
    internal void Prepare(Batch batch)
    {
        Span<float> cos = _cos.Span;
        Span<float> sin = _sin.Span;
        int next = 0;
        foreach (ref readonly BatchRow row in batch.Rows)
        {
            foreach (double frequency in _frequencies)
            {
                (double s, double c) = Elementary.SinCos(row.Position * frequency);
                cos[next] = (float)(c * _magnitude);
                sin[next] = (float)(s * _magnitude);
                next++;
            }
        }
    }

    /// <summary>Cosines of the first <paramref name="rows"/> rows of the batch last prepared, <c>[rows, Dimensions / 2]</c>.</summary>
    internal ReadOnlySpan<float> Cosines(int rows) => _cos.Span[..(rows * _frequencies.Length)];

    /// <summary>Sines, as <see cref="Cosines"/>.</summary>
    internal ReadOnlySpan<float> Sines(int rows) => _sin.Span[..(rows * _frequencies.Length)];

    /// <summary>Rotates one head of batch row <paramref name="row"/>, <c>[Dimensions]</c>, in place.</summary>
    internal void Rotate(KernelSet kernels, Span<float> head, int row)
    {
        int pairs = _frequencies.Length;
        kernels.Rotate(head, _cos.Span.Slice(row * pairs, pairs), _sin.Span.Slice(row * pairs, pairs), _adjacent);
    }

    public void Dispose()
    {
        _cos.Dispose();
        _sin.Dispose();
    }
}
