using ILGPU;
using ILGPU.Runtime;

namespace Pure.Gpu;

/// <summary>
/// Keeps on the device the experts that were used last, where not all have room. The host must then know what the router chose: a read-back
/// for each layer, and only here. Of a batch that names more experts than have room, parts are computed one after the other:
/// <code>
/// cache.Read(routing, rows);
/// for (int done = 0, ready; done &lt; cache.Pairs; done += ready)
/// {
///     ready = cache.Prepare(layer, done);
///     matMul.RunGrouped(…, routing.RowOfSlot.SubView(done, ready), cache.PlaceOfSlot.SubView(done, ready), ready, …);
/// }
/// </code>
/// </summary>
internal sealed class ExpertCache : IDisposable
{
    private readonly GpuQueue _queue;
    private readonly ExpertSlots _places;
    private readonly Action<int, int, int> _fill;
    private readonly int[] _experts;
    private readonly int[] _placeOfSlot;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _placesOnDevice;

    /// <param name="queue">Where launches line up.</param>
    /// <param name="places">Experts that have room at once.</param>
    /// <param name="layers">Layers with experts.</param>
    /// <param name="experts">Experts of a layer.</param>
    /// <param name="maxPairs">Most pairs of (row, rank) in a batch.</param>
    /// <param name="fill">
    /// Brings the matrices of (layer, expert) to a place, on <paramref name="queue"/>: so that a product launched earlier has read what lay there.
    /// </param>
    internal ExpertCache(GpuQueue queue, int places, int layers, int experts, int maxPairs, Action<int, int, int> fill)
    {
        _queue = queue;
        _places = new ExpertSlots(places, layers, experts);
        _fill = fill;
        _experts = new int[maxPairs];
        _placeOfSlot = new int[maxPairs];
        _placesOnDevice = queue.Allocate<int>(maxPairs);
    }

    /// <summary>Pairs that were read.</summary>
    internal int Pairs { get; private set; }

    /// <summary>Where the expert of each of the routing's slots lies: what a grouped product takes for its expert.</summary>
    internal ArrayView<int> PlaceOfSlot => _placesOnDevice.View;

    /// <summary>Experts found on the device, one for each layer of each batch that named it.</summary>
    internal long Hits => _places.Hits;

    /// <summary>Experts brought there.</summary>
    internal long Misses => _places.Misses;

    /// <summary>Waits for what <paramref name="routing"/> chose for <paramref name="rows"/> rows.</summary>
    internal void Read(Routing routing, int rows)
    {
        Pairs = rows * routing.Shape.Used;
        _queue.ReadBack(routing.ExpertOfSlot, _experts.AsSpan(0, Pairs));
    }

    /// <summary>Brings the experts of the slots from <paramref name="done"/> on, as many as have room together.</summary>
    /// <returns>How many slots are ready: at least one.</returns>
    internal int Prepare(int layer, int done)
    {
        _places.BeginPass();
        int slot = done;
        while (slot < Pairs && Place(layer, _experts[slot]) is >= 0 and int place)
        {
            int expert = _experts[slot];
            for (; slot < Pairs && _experts[slot] == expert; slot++)
                _placeOfSlot[slot] = place;
        }

        _queue.Upload<int>(_placeOfSlot.AsSpan(done, slot - done), PlaceOfSlot.SubView(done, slot - done));
        return slot - done;
    }

    /// <inheritdoc/>
    public void Dispose() => _placesOnDevice.Dispose();

    private int Place(int layer, int expert)
    {
        int place = _places.Take(layer, expert, out bool isNew);
        if (place < 0 || !isNew)
            return place;
        try
        {
            _fill(layer, expert, place);
            return place;
        }
        catch
        {
            _places.Forget(layer, expert);
            throw;
        }
    }
}
