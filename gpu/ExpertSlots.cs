namespace Pure.Gpu;

/// <summary>
/// Which experts lie in a fixed number of slots that all layers share. Where none is free, the least recently used makes room, but none that
/// the same pass has taken: what a pass computes with stays until the next begins.
/// </summary>
/// <param name="slots">Experts that have room at once.</param>
/// <param name="layers">Layers with experts.</param>
/// <param name="experts">Experts of a layer.</param>
internal sealed class ExpertSlots(int slots, int layers, int experts)
{
    private const int None = -1;

    private readonly int[] _slotOf = Filled(checked(layers * experts));
    private readonly int[] _expertIn = Filled(slots);

    // Times of the last use; one before the first is that of a slot never used.
    private readonly long[] _lastUse = new long[slots];
    private long _now;
    private long _passBegan = 1;

    /// <summary>Experts that have room at once.</summary>
    internal int Count => slots;

    /// <summary>Experts that were found in a slot.</summary>
    internal long Hits { get; private set; }

    /// <summary>Experts that were given one.</summary>
    internal long Misses { get; private set; }

    /// <summary>From here on, what was taken before may make room.</summary>
    internal void BeginPass() => _passBegan = _now + 1;

    /// <summary>Finds the slot of an expert, or gives it one.</summary>
    /// <param name="layer">Layer, counted among those with experts.</param>
    /// <param name="expert">Expert of the layer.</param>
    /// <param name="isNew">Whether the slot holds something else and is to be filled.</param>
    /// <returns>The slot; −1 where this pass has taken all of them.</returns>
    internal int Take(int layer, int expert, out bool isNew)
    {
        int number = Number(layer, expert);
        int slot = _slotOf[number];
        isNew = slot == None;
        if (isNew)
        {
            slot = LeastRecentlyUsed();
            if (_lastUse[slot] >= _passBegan)
                return None;
            if (_expertIn[slot] != None)
                _slotOf[_expertIn[slot]] = None;
            _expertIn[slot] = number;
            _slotOf[number] = slot;
            Misses++;
        }
        else
        {
            Hits++;
        }

        _lastUse[slot] = ++_now;
        return slot;
    }

    /// <summary>Empties the slot of an expert that could not be brought there.</summary>
    internal void Forget(int layer, int expert)
    {
        int number = Number(layer, expert);
        int slot = _slotOf[number];
        if (slot == None)
            return;
        _slotOf[number] = None;
        _expertIn[slot] = None;
        _lastUse[slot] = 0;
    }

    // A scan of times costs far less than the copy that follows it.
    private int LeastRecentlyUsed()
    {
        int oldest = 0;
        for (int slot = 1; slot < _lastUse.Length; slot++)
        {
            if (_lastUse[slot] < _lastUse[oldest])
                oldest = slot;
        }

        return oldest;
    }

    private int Number(int layer, int expert)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)layers, nameof(layer));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)expert, (uint)experts, nameof(expert));
        return (layer * experts) + expert;
    }

    private static int[] Filled(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        var numbers = new int[length];
        Array.Fill(numbers, None);
        return numbers;
    }
}
