namespace Pure.Gpu;

/// <summary>
/// Which experts lie in a fixed number of places that layers share. Where none is free, the least recently used makes room, but none that
/// the same pass has taken: what a pass computes with stays until the next begins.
/// </summary>
/// <param name="places">Experts that have room at once.</param>
/// <param name="layers">Layers that share them.</param>
/// <param name="experts">Experts of a layer.</param>
internal sealed class ExpertPlaces(int places, int layers, int experts)
{
    private const int None = -1;

    private readonly int[] _placeOf = Filled(checked(layers * experts));
    private readonly int[] _expertIn = Filled(places);
    private readonly bool[] _isGuess = new bool[places];

    // Times of the last use; one before the first is that of a place never used.
    private readonly long[] _lastUse = new long[places];
    private long _now;
    private long _passBegan = 1;

    /// <summary>Experts that have room at once.</summary>
    internal int Count => places;

    /// <summary>Experts that were found in a place.</summary>
    internal long Hits { get; private set; }

    /// <summary>Experts that were given one.</summary>
    internal long Misses { get; private set; }

    /// <summary>Experts that were given one before anybody asked for them.</summary>
    internal long Guesses { get; private set; }

    /// <summary>Those of them that were asked for while they were there.</summary>
    internal long RightGuesses { get; private set; }

    /// <summary>From here on, what was taken before may make room.</summary>
    internal void BeginPass() => _passBegan = _now + 1;

    /// <summary>Begins a pass and finds or gives places to the experts of slots, from the first on, as many as have room together.</summary>
    /// <param name="layer">Layer, counted among those that share the places.</param>
    /// <param name="expertOfSlot">The expert of each slot; equal ones lie together.</param>
    /// <param name="placeOfSlot">The place of each slot that is ready.</param>
    /// <param name="missing">To which experts are added that are to be brought to their place.</param>
    /// <returns>How many slots are ready: at least one.</returns>
    internal int Prepare(int layer, ReadOnlySpan<int> expertOfSlot, Span<int> placeOfSlot, List<ExpertPlace> missing)
    {
        BeginPass();
        Keep(layer, expertOfSlot);
        int slot = 0;
        while (slot < expertOfSlot.Length)
        {
            int expert = expertOfSlot[slot];
            int place = Take(layer, expert, out bool isNew);
            if (place == None)
                break;
            if (isNew)
                missing.Add(new(layer, expert, place));
            for (; slot < expertOfSlot.Length && expertOfSlot[slot] == expert; slot++)
                placeOfSlot[slot] = place;
        }

        return slot;
    }

    /// <summary>Finds the place of an expert, or gives it one.</summary>
    /// <param name="layer">Layer, counted among those that share the places.</param>
    /// <param name="expert">Expert of the layer.</param>
    /// <param name="isNew">Whether the place holds something else and is to be filled.</param>
    /// <returns>The place; −1 where this pass has taken all of them.</returns>
    internal int Take(int layer, int expert, out bool isNew)
    {
        int place = _placeOf[Number(layer, expert)];
        isNew = place == None;
        if (isNew)
        {
            place = Give(layer, expert);
            if (place == None)
                return None;
            Misses++;
        }
        else
        {
            Hits++;
            RightGuesses += _isGuess[place] ? 1 : 0;
            _isGuess[place] = false;
        }

        _lastUse[place] = ++_now;
        return place;
    }

    /// <summary>Gives places to experts that may be asked for next and have none, as far as this pass leaves any.</summary>
    /// <param name="layer">Layer, counted among those that share the places.</param>
    /// <param name="likely">Experts; any may be named twice.</param>
    /// <param name="missing">To which experts are added that are to be brought to their place.</param>
    internal void Guess(int layer, ReadOnlySpan<int> likely, List<ExpertPlace> missing)
    {
        foreach (int expert in likely)
        {
            if (_placeOf[Number(layer, expert)] != None)
                continue;
            int place = Give(layer, expert);
            if (place == None)
                return;
            _isGuess[place] = true;
            _lastUse[place] = ++_now;
            Guesses++;
            missing.Add(new(layer, expert, place));
        }
    }

    /// <summary>Empties the place of an expert that could not be brought there.</summary>
    internal void Forget(int layer, int expert)
    {
        int number = Number(layer, expert);
        int place = _placeOf[number];
        if (place == None)
            return;
        _placeOf[number] = None;
        _expertIn[place] = None;
        _isGuess[place] = false;
        _lastUse[place] = 0;
    }

    /// <summary>Lets those found among as many experts as have room together not make room for the others.</summary>
    private void Keep(int layer, ReadOnlySpan<int> expertOfSlot)
    {
        int last = None;
        int count = 0;
        foreach (int expert in expertOfSlot)
        {
            if (expert == last)
                continue;
            last = expert;
            if (++count > places)
                return;
            int place = _placeOf[Number(layer, expert)];
            if (place != None)
                _lastUse[place] = ++_now;
        }
    }

    private int Give(int layer, int expert)
    {
        int place = LeastRecentlyUsed();
        if (_lastUse[place] >= _passBegan)
            return None;
        if (_expertIn[place] != None)
            _placeOf[_expertIn[place]] = None;
        _expertIn[place] = Number(layer, expert);
        _placeOf[_expertIn[place]] = place;
        _isGuess[place] = false;
        return place;
    }

    // A scan of times costs far less than the copy that follows it.
    private int LeastRecentlyUsed()
    {
        int oldest = 0;
        for (int place = 1; place < _lastUse.Length; place++)
        {
            if (_lastUse[place] < _lastUse[oldest])
                oldest = place;
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

/// <summary>An expert and the place it is to be brought to.</summary>
/// <param name="Layer">Layer, counted among those that share the places.</param>
/// <param name="Expert">Expert of the layer.</param>
/// <param name="Place">Its place.</param>
internal readonly record struct ExpertPlace(int Layer, int Expert, int Place);
