using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Models;
using Pure.Engine.Quantization;

namespace Pure.Gpu.Layers;

/// <summary>
/// The routed experts of mixtures that stay in memory: the device keeps those that were used last, and is brought those that it lacks before
/// the products that need them. The host must then know what the router chose: a read-back for each mixture.
/// </summary>
/// <remarks>
/// <code>
/// the mixture's router chooses, and the next mixture's, of the same input      on the device
/// both choices are read back                                                  so all that was launched before has finished
/// missing experts are copied, and the copies waited for                       on a second queue
/// products are launched
/// experts that the next mixture may choose are copied                         on the second queue, by a thread of its own
/// </code>
/// Because of the read-back no product of an earlier layer reads a place that is filled anew. A batch that names more experts than have places is
/// computed in parts, and before the second part's experts are brought the first's products are waited for; what is guessed takes no place of the
/// last part. The next layer's router sees this layer's input, which its own will resemble (Eliseev and Mazur 2023, arXiv:2312.17238, section 3.2).
/// </remarks>
internal sealed class ExpertCache : IDisposable
{
    // Of a long batch, some rows name nearly every expert that all would name.
    private const int RowsToGuessFrom = 64;

    // Room for a few experts on their way.
    private const int StagingBytes = 32 << 20;

    private readonly GpuQueue _queue;
    private readonly GpuQueue _copies;
    private readonly MixtureOfExperts[] _mixtures;
    private readonly CachedMixtureBranch?[] _branches;
    private readonly Layer[] _layers;
    private readonly List<ExpertPool> _pools = [];
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _choices;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _placesOnDevice;
    private readonly int[] _read;
    private readonly int[] _placeOfSlot;
    private readonly int _mostGuesses;
    private readonly List<ExpertPlace> _missing = [];
    private readonly List<ExpertPlace> _guessed = [];
    private int _pairs;
    private int _guesses;
    private Task _bringing = Task.CompletedTask;

    /// <param name="device">Where.</param>
    /// <param name="mixtures">The mixtures, in the order of their layers.</param>
    /// <param name="bytes">
    /// Of the device's memory, at least <see cref="LeastBytes"/>; what is more, mixtures with unlike experts divide in proportion to theirs.
    /// </param>
    internal ExpertCache(GpuDevice device, MixtureOfExperts[] mixtures, long bytes)
    {
        RouterShape shape = mixtures[0].Shape;
        long least = LeastBytes(mixtures);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, least);
        Alike[] groups = Groups(mixtures);
        long all = groups.Sum(group => group.Bytes);
        _queue = device.Queue;
        _copies = new GpuQueue(_queue.Accelerator, StagingBytes);
        _mixtures = mixtures;
        _branches = new CachedMixtureBranch?[mixtures.Length];
        _layers = new Layer[mixtures.Length];
        foreach (Alike group in groups)
        {
            long places = shape.Used + (long)((bytes - least) * ((double)group.Bytes / all) / group.BytesOfExpert);
            var pool = new ExpertPool(device, group.Layers, (int)Math.Min(places, (long)group.Layers.Length * shape.Experts));
            _pools.Add(pool);
            for (int number = 0; number < group.Layers.Length; number++)
                _layers[Array.FindIndex(mixtures, mixture => mixture.LayerWeights == group.Layers[number])] = new Layer(pool, number);
        }

        int maxPairs = device.Model.MaxRows * shape.Used;
        int guessRows = Math.Min(device.Model.MaxRows, RowsToGuessFrom);
        _mostGuesses = guessRows * shape.Used;
        _read = new int[_mostGuesses + maxPairs];
        _placeOfSlot = new int[maxPairs];
        _choices = _queue.Allocate<int>(_read.Length);
        _placesOnDevice = _queue.Allocate<int>(maxPairs);
        Guesses = new Routing(_queue, shape, guessRows, _choices.View.SubView(0, _mostGuesses));
    }

    /// <summary>Bytes of the device's memory that the experts take which a token uses in a layer, of each kind.</summary>
    internal static long LeastBytes(MixtureOfExperts[] mixtures) => Groups(mixtures).Sum(group => group.BytesOfExpert * mixtures[0].Shape.Used);

    /// <summary>Where a mixture's routing writes the expert of each slot.</summary>
    internal ArrayView<int> ExpertOfSlot => _choices.View.SubView(_mostGuesses, _read.Length - _mostGuesses);

    /// <summary>The place of each slot's expert: what a grouped product takes for its expert.</summary>
    internal ArrayView<int> PlaceOfSlot => _placesOnDevice.View;

    /// <summary>What the next mixture may choose.</summary>
    internal Routing Guesses { get; }

    /// <summary>How often experts were found on the device so far.</summary>
    internal ExpertReads Reads => new(
        _pools.Sum(pool => pool.Places.Hits),
        0,
        _pools.Sum(pool => pool.Places.Misses),
        _pools.Sum(pool => pool.Places.Guesses),
        _pools.Sum(pool => pool.Places.RightGuesses),
        _copies.UploadedBytes);

    /// <summary>Adds the branch of a mixture, and gives its number among them.</summary>
    internal int Add(MixtureOfExperts mixture, CachedMixtureBranch branch)
    {
        int number = Array.IndexOf(_mixtures, mixture);
        _branches[number] = branch;
        return number;
    }

    /// <summary>The mixture after another; null after the last.</summary>
    internal CachedMixtureBranch? After(int number) => number + 1 < _branches.Length ? _branches[number + 1] : null;

    /// <summary>The experts of a mixture that are in their places.</summary>
    internal ExpertNetworks Experts(int number) => _layers[number].Pool.Networks;

    /// <summary>Waits for the routers' choices: for <paramref name="rows"/> rows, and the next mixture's for <paramref name="guessRows"/>.</summary>
    internal void Read(int rows, int guessRows)
    {
        _pairs = rows * Guesses.Shape.Used;
        _guesses = guessRows * Guesses.Shape.Used;
        _queue.ReadBack<int>(_choices.View, _read.AsSpan(0, _mostGuesses + _pairs));
    }

    /// <summary>Brings the experts of the slots from <paramref name="done"/> on, as many as have room together, and says where they are.</summary>
    /// <returns>How many slots are ready: at least one.</returns>
    internal int Prepare(int number, int done)
    {
        WaitForGuesses();
        if (done > 0)
            _queue.Finish();
        (ExpertPool pool, int layer) = _layers[number];
        _missing.Clear();
        int ready = pool.Places.Prepare(layer, _read.AsSpan(_mostGuesses + done, _pairs - done), _placeOfSlot.AsSpan(done), _missing);
        pool.Bring(_copies, _missing);
        _copies.Finish();
        _queue.Upload<int>(_placeOfSlot.AsSpan(done, ready), PlaceOfSlot.SubView(done));
        return ready;
    }

    /// <summary>Begins to bring what the mixture after another may choose.</summary>
    internal void BringGuesses(int number)
    {
        (ExpertPool pool, int layer) = _layers[number + 1];

        // The last pass of another pool is over.
        if (pool != _layers[number].Pool)
            pool.Places.BeginPass();
        _guessed.Clear();
        pool.Places.Guess(layer, _read.AsSpan(0, _guesses), _guessed);
        if (_guessed.Count > 0)
            _bringing = Task.Run(() => pool.Bring(_copies, _guessed));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Task.WaitAny(_bringing);
        foreach (ExpertPool pool in _pools)
            pool.Dispose();
        Guesses.Dispose();
        _choices.Dispose();
        _placesOnDevice.Dispose();
        _copies.Dispose();
    }

    private static Alike[] Groups(MixtureOfExperts[] mixtures) =>
        [.. mixtures.Select(mixture => mixture.LayerWeights).GroupBy(ExpertKind.Of, (_, layers) => new Alike([.. layers]))];

    private void WaitForGuesses()
    {
        Task bringing = _bringing;
        _bringing = Task.CompletedTask;
        bringing.GetAwaiter().GetResult();
    }

    /// <summary>Where a mixture's experts have room, and its number among those that share it.</summary>
    private readonly record struct Layer(ExpertPool Pool, int Number);

    /// <summary>Mixtures whose experts fit into each other's places.</summary>
    private sealed record Alike(MixtureOfExperts.Weights[] Layers)
    {
        internal long BytesOfExpert { get; } = ExpertNetworks.BytesOfExpert(Layers[0]);

        internal long Bytes => BytesOfExpert * Layers.Length * Layers[0].Gate.Length;
    }

    /// <summary>What experts have in common that fit into each other's places.</summary>
    private readonly record struct ExpertKind(MatrixKind Gate, MatrixKind Up, MatrixKind Down, GateActivation Activation)
    {
        internal static ExpertKind Of(MixtureOfExperts.Weights weights) => new(
            MatrixKind.Of(weights.Gate[0]), MatrixKind.Of(weights.Up[0]), MatrixKind.Of(weights.Down[0]), weights.Activation);
    }

    /// <summary>The same of a matrix.</summary>
    private readonly record struct MatrixKind(ElementType Type, int Outputs, int Inputs, bool HasBias)
    {
        internal static MatrixKind Of(Linear linear) => new(linear.Weights.Type, linear.Outputs, linear.Inputs, !linear.Bias.IsEmpty);
    }
}
