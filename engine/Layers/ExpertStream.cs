using System.Runtime.ExceptionServices;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Layers;

/// <summary>
/// The routed experts of a model that is larger than its memory: a fixed number of slots, each with room for one expert's three matrices,
/// which threads of their own fill from the file while the others compute.
/// </summary>
/// <remarks>
/// <code>
/// a layer asks for its experts       those in a slot are pinned; for the others slots are found and put into _asked
/// it names what the next may ask     the same, for slots that nobody is likelier to need, in _guessed
/// loaders                            take from _asked, then from _guessed, one matrix at a time
/// the layer takes what is there      until it has computed all; then those slots may be given away again
/// </code>
/// The slot given away is the one whose expert was left out most often, since it was used, when its layer had its turn; among those left out
/// equally often the one whose layer's turn comes last. (By time alone, a prompt that needs every expert of every layer would always find
/// that what it needs next has just been given away.)
/// </remarks>
internal sealed class ExpertStream : IDisposable
{
    // One reads while the other rearranges; with four, guesses come before what is needed next (bench/results/2026-11-24-memory-limit.md).
    private const int Loaders = 2;

    // Rearranged while still in the second cache.
    private const int StagingBytes = 1 << 20;
    private const int Matrices = 3;
    private const int Nowhere = -1;

    private readonly List<MixtureOfExperts> _layers = [];
    private readonly object _gate = new();
    private AlignedBuffer<byte>? _memory;
    private Thread[] _loaders = [];
    private Slot[] _slots = [];
    private int[] _slotOf = [];
    private int[] _wave = [];
    private int _waveCount;
    private SlotQueue _asked = new(0);
    private SlotQueue _guessed = new(0);
    private int _layer;
    private int _pass;
    private int _step;
    private bool _stopping;
    private ExceptionDispatchInfo? _failure;
    private ExpertReads _reads;

    private enum State : byte
    {
        /// <summary>Holds nothing.</summary>
        Empty,

        /// <summary>Is being filled, or waits for it.</summary>
        Loading,

        /// <summary>Holds an expert.</summary>
        Ready,
    }

    /// <summary>Whether experts are loaded on demand; otherwise they are prepared like all other weights.</summary>
    internal bool IsOpen => _memory is not null;

    /// <summary>All slots; empty before <see cref="Open"/>.</summary>
    internal NativeView Memory => _memory?.View ?? default;

    /// <summary>Routed experts of all layers.</summary>
    internal int Experts => _layers.Count * ExpertsPerLayer;

    /// <summary>Experts that a token uses, in all layers together.</summary>
    internal int UsedPerToken => _layers.Sum(layer => layer.Shape.Used);

    /// <summary>Least slots to run with: the experts that one token uses in one layer.</summary>
    internal int LeastSlots => _layers.Count == 0 ? 0 : _layers[0].Shape.Used;

    /// <summary>Bytes of a slot: the largest expert.</summary>
    internal long SlotBytes { get; private set; }

    /// <summary>Bytes of all experts as they are stored.</summary>
    internal long StoredBytes { get; private set; }

    /// <summary>What was asked for and read so far.</summary>
    internal ExpertReads Reads
    {
        get
        {
            lock (_gate)
                return _reads;
        }
    }

    private int ExpertsPerLayer => _layers.Count == 0 ? 0 : _layers[0].Shape.Experts;

    /// <summary>Adds a layer; returns its number here.</summary>
    internal int Add(MixtureOfExperts layer)
    {
        _layers.Add(layer);
        SlotBytes = Math.Max(SlotBytes, Enumerable.Range(0, Matrices).Sum(matrix => Aligned(layer.Matrix(matrix, 0).LoadedBytes)));
        StoredBytes += Enumerable.Range(0, Matrices).Sum(matrix => layer.Matrix(matrix, 0).Weights.Data.Length) * layer.Shape.Experts;
        return _layers.Count - 1;
    }

    /// <summary>The layer after layer <paramref name="layer"/>; null after the last.</summary>
    internal MixtureOfExperts? After(int layer) => layer + 1 < _layers.Count ? _layers[layer + 1] : null;

    /// <summary>Starts loading on demand.</summary>
    /// <param name="slots">Places for experts.</param>
    /// <param name="inPassing">Whether the system has no room to keep what was read.</param>
    /// <param name="largePages">Whether the system is asked for large pages.</param>
    internal void Open(int slots, bool inPassing, bool largePages = true)
    {
        _memory = new AlignedBuffer<byte>(slots * SlotBytes, largePages);
        _slots = new Slot[slots];
        _slotOf = new int[Experts];
        Array.Fill(_slotOf, Nowhere);
        _wave = new int[slots];
        _asked = new SlotQueue(slots);
        _guessed = new SlotQueue(slots);
        _layer = _layers.Count;
        long staging = StagingBytes;
        for (int entry = 0; entry < Experts; entry++)
        {
            for (int matrix = 0; matrix < Matrices; matrix++)
            {
                Linear linear = MatrixOf(entry, matrix);
                linear.LoadOnDemand();
                if (linear.Weights.Data.File is { } file)
                    file.ReadsInPassing = inPassing;
                staging = Math.Max(staging, linear.StagingBytes);
            }
        }

        _loaders = new Thread[Loaders];
        for (int index = 0; index < Loaders; index++)
        {
            _loaders[index] = new Thread(() => LoadUntilStopped(new byte[staging])) { IsBackground = true, Name = $"pure expert loader {index + 1}" };
            _loaders[index].Start();
        }
    }

    /// <summary>Says which experts a layer is about to compute: their loading begins. Guesses that came to nothing are dropped.</summary>
    internal void Ask(int layer, ReadOnlySpan<int> experts)
    {
        lock (_gate)
        {
            _step++;
            if (layer <= _layer)
                _pass++;
            _layer = layer;
            _waveCount = 0;
            foreach (int expert in experts)
            {
                int number = _slotOf[Entry(layer, expert)];
                if (number == Nowhere)
                {
                    _reads = _reads with { Missed = _reads.Missed + 1 };
                    continue;
                }

                ref Slot slot = ref _slots[number];
                _reads = slot.State == State.Ready ? _reads with { Found = _reads.Found + 1 } : _reads with { Coming = _reads.Coming + 1 };
                if (slot.GuessedIn != 0)
                    _reads = _reads with { GuessedRight = _reads.GuessedRight + 1 };
                Pin(ref slot);
                if (slot.State == State.Loading)
                    Enqueue(number);
            }

            DropGuesses();
            Place(layer, experts);
        }
    }

    /// <summary>
    /// Names experts that a later layer may ask for: they are loaded when nothing waits that was asked for.
    /// </summary>
    internal void Guess(int layer, ReadOnlySpan<int> experts)
    {
        lock (_gate)
        {
            bool any = false;
            foreach (int expert in experts)
            {
                int entry = Entry(layer, expert);
                if (_slotOf[entry] != Nowhere)
                    continue;
                int number = FindSlot();
                if (number == Nowhere)
                    break;
                Fill(number, entry);
                _slots[number].GuessedIn = _step;
                _guessed.Add(number);
                _reads = _reads with { Guessed = _reads.Guessed + 1 };
                any = true;
            }

            if (any)
                Monitor.PulseAll(_gate);
        }
    }

    /// <summary>
    /// Waits until one of <paramref name="experts"/>, which were asked for, is there, and moves those that are to the front. They stay until
    /// the next call; those of the call before have been computed.
    /// </summary>
    /// <returns>How many are there.</returns>
    /// <exception cref="ModelFormatException">The file cannot be read.</exception>
    internal int Take(int layer, Span<int> experts)
    {
        lock (_gate)
        {
            for (int index = 0; index < _waveCount; index++)
                _slots[_wave[index]].PinnedIn = 0;
            _waveCount = 0;
            Place(layer, experts);
            while (true)
            {
                _failure?.Throw();
                for (int index = 0; index < experts.Length; index++)
                {
                    int number = _slotOf[Entry(layer, experts[index])];
                    if (number == Nowhere || _slots[number].State != State.Ready)
                        continue;
                    (experts[_waveCount], experts[index]) = (experts[index], experts[_waveCount]);
                    _wave[_waveCount++] = number;
                }

                if (_waveCount > 0)
                    return _waveCount;
                Monitor.Wait(_gate);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }

        foreach (Thread loader in _loaders)
            loader.Join();
        _memory?.Dispose();
    }

    private static long Aligned(long bytes) => (bytes + 63) / 64 * 64;

    private int Entry(int layer, int expert) => (layer * ExpertsPerLayer) + expert;

    private Linear MatrixOf(int entry, int matrix) => _layers[entry / ExpertsPerLayer].Matrix(matrix, entry % ExpertsPerLayer);

    private void Pin(ref Slot slot)
    {
        slot.PinnedIn = _step;
        slot.UsedIn = _pass;
        slot.GuessedIn = 0;
    }

    /// <summary>Finds slots for experts that have none, as far as there are any to give away.</summary>
    private void Place(int layer, ReadOnlySpan<int> experts)
    {
        bool any = false;
        foreach (int expert in experts)
        {
            int entry = Entry(layer, expert);
            if (_slotOf[entry] != Nowhere)
                continue;
            int number = FindSlot();
            if (number == Nowhere)
                break;
            Fill(number, entry);
            Pin(ref _slots[number]);
            Enqueue(number);
            any = true;
        }

        if (any)
            Monitor.PulseAll(_gate);
    }

    /// <summary>The slot to give away, as the type's remarks say; a guess that was wrong goes before all others.</summary>
    private int FindSlot()
    {
        int found = Nowhere;
        long longest = -1;
        for (int number = 0; number < _slots.Length; number++)
        {
            ref readonly Slot slot = ref _slots[number];
            if (slot.State == State.Empty)
                return number;
            if (slot.State == State.Loading || slot.PinnedIn == _step)
                continue;

            // Its layer's turns since it was used, then those of other layers until its own comes again.
            int layer = slot.Entry / ExpertsPerLayer;
            bool isWrongGuess = slot.GuessedIn != 0 && slot.GuessedIn != _step;
            long missed = isWrongGuess ? int.MaxValue : _pass - slot.UsedIn - (layer > _layer ? 1 : 0);
            long idle = (missed * _layers.Count) + (layer > _layer ? layer : layer + _layers.Count);
            if (idle > longest)
                (found, longest) = (number, idle);
        }

        return found;
    }

    private void Fill(int number, int entry)
    {
        ref Slot slot = ref _slots[number];
        Empty(ref slot);
        slot = new Slot { State = State.Loading, Entry = entry, UsedIn = _pass };
        _slotOf[entry] = number;
    }

    private void Empty(ref Slot slot)
    {
        if (slot.State == State.Empty)
            return;
        _slotOf[slot.Entry] = Nowhere;
        for (int matrix = 0; matrix < Matrices; matrix++)
            MatrixOf(slot.Entry, matrix).Unload();
        slot.State = State.Empty;
    }

    private void Enqueue(int number)
    {
        ref Slot slot = ref _slots[number];
        if (slot.IsAsked || slot.Begun == Matrices)
            return;
        slot.IsAsked = true;
        _asked.Add(number);
    }

    /// <summary>Forgets guesses that nobody has begun to load; what is half there is loaded to its end.</summary>
    private void DropGuesses()
    {
        while (_guessed.Count > 0)
        {
            int number = _guessed.Remove();
            ref Slot slot = ref _slots[number];
            if (slot.State != State.Loading || slot.PinnedIn == _step)
                continue;
            if (slot.Begun > 0)
            {
                Enqueue(number);
                continue;
            }

            Empty(ref slot);
            _reads = _reads with { Guessed = _reads.Guessed - 1 };
        }
    }

    private void LoadUntilStopped(byte[] staging)
    {
        while (true)
        {
            int number, matrix;
            lock (_gate)
            {
                while (!TryBegin(_asked, out number, out matrix) && !TryBegin(_guessed, out number, out matrix))
                {
                    if (_stopping)
                        return;
                    Monitor.Wait(_gate);
                }

                if (_stopping)
                    return;
            }

            Linear linear = Load(number, matrix, staging);
            lock (_gate)
            {
                ref Slot slot = ref _slots[number];
                _reads = _reads with { Bytes = _reads.Bytes + linear.Weights.Data.Length };
                if (++slot.Loaded < Matrices)
                    continue;
                slot.State = State.Ready;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private Linear Load(int number, int matrix, byte[] staging)
    {
        int entry = _slots[number].Entry;
        Linear linear = MatrixOf(entry, matrix);
        try
        {
            long offset = number * SlotBytes;
            for (int before = 0; before < matrix; before++)
                offset += Aligned(MatrixOf(entry, before).LoadedBytes);
            linear.Load(_memory!.View.Slice(offset, linear.LoadedBytes), staging);
        }
#pragma warning disable CA1031 // Whatever it is, it is thrown again where the expert is taken.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            lock (_gate)
                _failure ??= ExceptionDispatchInfo.Capture(exception);
        }

        return linear;
    }

    /// <summary>The next matrix to load.</summary>
    private bool TryBegin(SlotQueue queue, out int number, out int matrix)
    {
        while (queue.Count > 0)
        {
            number = queue.First;
            ref Slot slot = ref _slots[number];
            matrix = slot.Begun;
            bool isLoading = slot.State == State.Loading && matrix < Matrices;
            if (isLoading)
                slot.Begun++;
            if (!isLoading || slot.Begun == Matrices)
            {
                queue.Remove();
                if (queue == _asked)
                    slot.IsAsked = false;
            }

            if (isLoading)
                return true;
        }

        number = matrix = 0;
        return false;
    }

    /// <summary>Room for one expert.</summary>
    private struct Slot
    {
        internal State State;

        /// <summary>Whether it stands in the queue of what was asked for.</summary>
        internal bool IsAsked;

        /// <summary>Matrices that a loader has begun.</summary>
        internal byte Begun;

        /// <summary>Matrices that are there.</summary>
        internal byte Loaded;

        /// <summary>The expert: layer · experts + number.</summary>
        internal int Entry;

        /// <summary>The forward pass that last used it.</summary>
        internal int UsedIn;

        /// <summary>The layer's turn that computes with it; it may be given away in any other.</summary>
        internal int PinnedIn;

        /// <summary>The layer's turn that guessed it; 0 once it was asked for.</summary>
        internal int GuessedIn;
    }

    /// <summary>Slots, first in, first out; each stands in it at most once.</summary>
    private sealed class SlotQueue(int capacity)
    {
        private readonly int[] _ring = new int[capacity];
        private int _first;

        internal int Count { get; private set; }

        internal int First => _ring[_first];

        internal void Add(int slot) => _ring[(_first + Count++) % _ring.Length] = slot;

        internal int Remove()
        {
            int slot = _ring[_first];
            _first = (_first + 1) % _ring.Length;
            Count--;
            return slot;
        }
    }
}
