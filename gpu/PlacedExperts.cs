using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Kernels;

namespace Pure.Gpu;

/// <summary>One matrix of each expert that has a place of an <see cref="ExpertCache"/>: the gates, the ups, or the downs.</summary>
internal sealed class PlacedExperts : IDisposable
{
    private readonly GpuQueue _queue;
    private readonly DeviceMatrix _matrices;
    private readonly MemoryBuffer1D<float, Stride1D.Dense>? _bias;
    private readonly int _outputs;

    /// <param name="queue">Where copies and launches line up.</param>
    /// <param name="like">A matrix <c>[outputs, inputs]</c> of the type and shape of all.</param>
    /// <param name="hasBias">Whether outputs have a bias.</param>
    /// <param name="places">Experts that have room at once.</param>
    internal PlacedExperts(GpuQueue queue, WeightMatrix like, bool hasBias, int places)
    {
        _queue = queue;
        _outputs = like.Rows;
        _matrices = DeviceMatrix.Reserve(queue, like, places);
        _bias = hasBias ? queue.Allocate<float>((long)places * _outputs) : null;
    }

    /// <summary>Bytes that a place takes on the device.</summary>
    internal static long BytesOfPlace(WeightMatrix like, bool hasBias) =>
        DeviceMatrix.Bytes(like.Type, like.Rows, like.Columns) + (hasBias ? sizeof(float) * (long)like.Rows : 0);

    /// <summary>Brings an expert's matrix to a place.</summary>
    /// <param name="place">What its slot in the cache is.</param>
    /// <param name="weights"><c>[outputs, inputs]</c>.</param>
    /// <param name="bias"><c>[outputs]</c>, or empty.</param>
    internal void Put(int place, WeightMatrix weights, ReadOnlySpan<float> bias)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bias.Length, _bias is null ? 0 : _outputs, nameof(bias));
        _matrices.Replace(_queue, place, weights);
        if (_bias is not null)
            _queue.Upload(bias, _bias.View.SubView((long)place * _outputs, _outputs));
    }

    /// <summary>For each slot the product of the expert in its place and its row; see <see cref="MatMul.RunGrouped"/>.</summary>
    internal void Run(
        MatMul matMul, DeviceInput x, ArrayView<int> inputRowOfSlot, ArrayView<int> placeOfSlot, int slots, ArrayView<float> y, int yStride) =>
        matMul.RunGrouped(_matrices, _outputs, x, inputRowOfSlot, placeOfSlot, slots, y, yStride, _bias is null ? default : _bias.View);

    /// <inheritdoc/>
    public void Dispose()
    {
        _matrices.Dispose();
        _bias?.Dispose();
    }
}
