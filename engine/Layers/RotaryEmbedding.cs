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

    /// <param name="frequencies">Angle per position of each pair <c>[rotary dimensions / 2]</c>.</param>
    /// <param name="magnitude">Factor on cosines and sines (YaRN's mscale); 1 without it.</param>
    /// <param name="adjacent">Pairs are (2i, 2i+1); otherwise (i, i + half).</param>
    /// <param name="maxRows">Most rows of a batch.</param>
    internal RotaryEmbedding(double[] frequencies, double magnitude, bool adjacent, int maxRows)
    {
        _frequencies = frequencies;
        _magnitude = magnitude;
        _adjacent = adjacent;
        _cos = new AlignedBuffer<float>((long)maxRows * frequencies.Length);
        _sin = new AlignedBuffer<float>((long)maxRows * frequencies.Length);
    }

    /// <summary>Rotary dimensions of a head.</summary>
    internal int Dimensions => 2 * _frequencies.Length;

    /// <summary>Angle per position of each pair.</summary>
    internal ReadOnlySpan<double> Frequencies => _frequencies;

    /// <summary>Factor on cosines and sines.</summary>
    internal double Magnitude => _magnitude;

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
