using Pure.Engine.Devices;
using Pure.Engine.Formats;
using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Threading;

namespace Pure.Engine.Models;

/// <summary>
/// A loaded model: token ids in, logits out. <see cref="Forward"/> takes a batch of rows from any number of sequences; a row's logits
/// depend on the model, the tokens before it and the chosen arithmetic, and on nothing else.
/// </summary>
public sealed partial class Model : IDisposable
{
    private readonly Cpu _cpu;
    private readonly Transformer _transformer;
    private readonly List<IDisposable> _owned;
    private readonly ExpertStream? _stream;
    private readonly ActivationBuffer _residual;
    private readonly long _bufferBytes;
    private byte[]? _fingerprint;
    private AlignedBuffer<float> _logits = new(0);
    private bool _disposed;

    private Model(ModelFile file, ModelOptions options, Cpu cpu)
    {
        string architecture = file.Metadata.GetString("general.architecture");
        long allocated = NativeBytes.TakenByThisThread;
        var reader = new WeightReader(file, architecture, cpu, options);
        _owned = reader.Owned;
        _cpu = cpu;
        File = file;
        Options = options;
        try
        {
            _transformer = Family.Build(architecture, reader, file);
            if (options.Mla != LatentForm.Absorbed && _transformer.Blocks[0].Attention is not MultiHeadLatentAttention)
            {
                throw new InvalidRequestException(
                    $"{file.Path}: prompts were to be read in expanded form (--mla expand), which only latent attention has, and '{architecture}' has another attention; leave that out.");
            }

            int embedding = _transformer.Embedding.Inputs;
            _residual = reader.Own(new ActivationBuffer(options.MaxBatchRows, embedding));
            _processor = reader.Own(new Processor(cpu, options.MaxBatchRows, embedding));
            _at = _processor;
            if (_transformer.NextToken is not null)
            {
                NextTokenLayer next = _transformer.NextToken;
                _nextBranches = next.Block.Branches(_transformer.Blocks.Length);
                _nextHead = new OutputHead(next.OutputNorm, next.Head, _transformer.LogitDivisor);
                _joint = reader.Own(new ActivationBuffer(options.MaxBatchRows, 2 * embedding));
                _followers = new Batch(options.MaxBatchRows);
            }

            _bufferBytes = NativeBytes.TakenByThisThread - allocated;
            Info = Describe(file, architecture, reader, _transformer);
            IReadOnlyList<IDevice> devices = DevicePlugin.Open(options.Device, DescribeForDevices(), options.Warn);
            foreach (IDevice device in devices)
                reader.Own(device);
            PlaceOn(devices);
            _stream = reader.Stream;
            if (_stream is not null)
            {
                // Where devices may be left, there is to be room for all that they have.
                long needed = reader.NeededBytes(elsewhere: options.Device.Name == DeviceOptions.Auto ? [] : _elsewhere);
                MemoryPlan = MemoryPlan.Make(this, options.MemoryLimit!.Value, needed, _stream);
                if (MemoryPlan.IsStreamed)
                    _stream.Open(MemoryPlan.Slots, inPassing: MemoryPlan.Limit + file.FileBytes > AvailableMemory(options), options.Memory.LargePages);
            }

            if (options.Memory.RepackCache is { } folder)
                UseRepackCache(reader, folder);
            if (options.Memory.IsEager)
                PlaceWeights(reader);
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>What the model is.</summary>
    public ModelInfo Info { get; }

    /// <summary>The file it came from.</summary>
    public ModelFile File { get; }

    /// <summary>How it is run.</summary>
    public ModelOptions Options { get; }

    /// <summary>The instruction set in use.</summary>
    public Isa Isa => _cpu.Kernels.Isa;

    /// <summary>Threads in use.</summary>
    public int Threads => _cpu.Pool.Threads;

    /// <summary>
    /// Reads every byte of the weights that were rearranged so far, once, on all threads, and does nothing with it: the time that a decoded
    /// token must take at least, if it needs them all. Not while the model runs.
    /// </summary>
    /// <returns>How many bytes were read; 0 where weights are used as they are mapped.</returns>
    public long ReadWeights() => _cpu.ReadWeights();

    /// <summary>How often, in the last forward pass, all threads waited for each other in a layer, on average.</summary>
    public double BarriersPerLayer { get; private set; }

    /// <summary>What stays in memory under <see cref="ModelOptions.MemoryLimit"/> and what is read when needed; null without a limit.</summary>
    public MemoryPlan? MemoryPlan { get; }

    /// <summary>How often experts were found in memory so far, where they are read when needed.</summary>
    public ExpertReads ExpertReads => _stream?.Reads ?? default;

    /// <summary>What a position costs in the cache.</summary>
    public CacheShape CacheShape => _transformer.Cache;

    /// <summary>The same where two runs give the same bits (see <see cref="ModelFingerprint"/>); the caller holds the gate.</summary>
    internal byte[] Fingerprint => _fingerprint ??= ModelFingerprint.Of(this);

    /// <summary>The assembled layers.</summary>
    internal Transformer Transformer => _transformer;

    /// <summary>
    /// Held while a forward pass runs and its logits are read, by sessions that share the model: <see cref="Forward"/> itself is for
    /// one caller at a time.
    /// </summary>
    public Lock Gate { get; } = new();

    /// <summary>Opens a GGUF file, or a folder in Hugging Face's form, and prepares its weights.</summary>
    /// <exception cref="ModelFormatException">The file cannot be used.</exception>
    /// <exception cref="InvalidRequestException">The options ask for what this machine lacks.</exception>
    public static Model Load(string path, ModelOptions? options = null)
    {
        ModelFile file = ModelFile.Open(path);
        try
        {
            return Load(file, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Prepares the weights of an open file, which the model then owns.</summary>
    /// <exception cref="ModelFormatException">The file cannot be used; it is still the caller's.</exception>
    /// <exception cref="InvalidRequestException">The options ask for what this machine lacks.</exception>
    public static Model Load(ModelFile file, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        options ??= new ModelOptions();
        if (options.Threads is < 0 or > 1024)
            throw new InvalidRequestException($"{options.Threads} threads were asked for; give a number from 1 to 1024, or 0 for the default.");
        if (options.MaxBatchRows is < 1 or > 65536)
            throw new InvalidRequestException($"Batches of {options.MaxBatchRows} rows were asked for; give a number from 1 to 65536.");
        options.Rope.Check();
        options = Settle(options, file);
        KernelSet kernels = KernelSet.Select(options.Isa, options.Emit);
        int threads = options.Threads == 0 ? WorkerPool.DefaultThreads : options.Threads;
        var cpu = new Cpu(
            kernels, new WorkerPool(threads, options.Pin, options.Warn), options.Activations,
            options.Repack && (options.MemoryLimit is not null || CanRepack(options, file)),
            keeps: options.MemoryLimit is not null || !options.Memory.Map, options.Memory);
        return new Model(file, options, cpu);
    }

    /// <summary>A cache with room for <paramref name="positions"/> positions, stored as the options say.</summary>
    /// <exception cref="InvalidRequestException">The machine has not that much memory.</exception>
    /// <exception cref="DeviceException">A device that holds layers has not that much memory.</exception>
    public KvCache CreateCache(int positions) => new(
        CacheShape, Options.CacheType, positions, Options.ValueCacheType, Options.Memory.LargePages, LayersOnDevices());

    /// <summary>What the model needs with one session of so many positions, once every weight was used and the largest batch computed.</summary>
    public MemoryNeed MemoryFor(int positions)
    {
        int onDevices = LayersOnDevices().Sum(device => device.Layers.Count);
        long ofLayer = positions * CacheShape.RowBytes(Options.CacheType, Options.ValueCacheType ?? Options.CacheType);
        return new MemoryNeed(
            WeightBytesInMemory(),
            ofLayer * (CacheShape.Layers - onDevices),
            _bufferBytes + (sizeof(float) * (long)Info.VocabularySize) + (sizeof(int) * (long)positions),
            DevicePlan.WeightBytes + (ofLayer * onDevices) + DevicePlan.BufferBytes + DevicePlan.ExpertCacheBytes);
    }

    /// <summary>Counts from here on which experts rows choose, for <see cref="ExpertLoads"/>; without it nothing is counted.</summary>
    public void CountExperts()
    {
        foreach (TransformerBlock block in _transformer.Blocks)
            (block.FeedForward as MixtureOfExperts)?.Router.CountChosen();
    }

    /// <summary>What was counted since <see cref="CountExperts"/>, of each mixture; nothing without it.</summary>
    public IReadOnlyList<ExpertLoad> ExpertLoads() =>
    [
        .. _transformer.Blocks.Index()
            .Where(block => block.Item.FeedForward is MixtureOfExperts { Router.Chosen: not null })
            .Select(block => new ExpertLoad(block.Index, [.. ((MixtureOfExperts)block.Item.FeedForward).Router.Chosen!])),
    ];

    /// <summary>Computes the batch's rows, appends their keys and values, and returns the wanted logits.</summary>
    /// <param name="batch">Rows of sequences in caches of this model.</param>
    /// <param name="trace">Where every named intermediate is written down; null for nowhere, which costs nothing.</param>
    /// <returns>Logits of the rows that wanted them, in order; valid until the next call.</returns>
    /// <exception cref="InvalidRequestException">
    /// The batch is empty or too large, a token is outside the vocabulary, a sequence leaves the context, or a cache is full.
    /// </exception>
    /// <exception cref="NotFiniteNumberException">A layer produced NaN or infinity; the message names it.</exception>
    public Logits Forward(Batch batch, Trace? trace = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ObjectDisposedException.ThrowIf(_disposed, this);
        int wanted = Admit(batch);

        Activations x = _residual.Rows(batch.Count);
        Embed(batch, x);
        (_at, _rows) = (_processor, batch.Count);
        trace?.Add(TraceName.Embedding, x);
        foreach (RotaryEmbedding rope in _transformer.Ropes)
            rope.Prepare(batch);
        foreach (IDevice device in _devices)
            device.Begin(batch);
        long barriers = _cpu.Pool.Barriers;
        for (int layer = 0; layer < _transformer.Blocks.Length; layer++)
        {
            var step = new Step(batch, layer, trace);
            Run(_branches[2 * layer], step, x);
            Run(_branches[(2 * layer) + 1], step, x);
            if (_at == _processor)
                RequireFinite(x, layer);
        }

        BarriersPerLayer = (double)(_cpu.Pool.Barriers - barriers) / _transformer.Blocks.Length;
        foreach (ref readonly BatchRow row in batch.Rows)
            row.Sequence.Advance(row.Position + 1);
        Logits logits = Head(new Step(batch, _transformer.Blocks.Length, trace), x, wanted);

        // Kernels read native memory that the model's buffers free when it is collected: it must outlive the pass.
        GC.KeepAlive(this);
        return logits;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            Release();
            _logits.Dispose();
            File.Dispose();
        }
    }

    // Pages of the file are given back as soon as their weights are rearranged: there are never two copies of more than a matrix. Where one
    // does not fit, the mapped one is what the system can give up and read again.
    private static bool CanRepack(ModelOptions options, ModelFile file) => file.Tensors.Sum(tensor => tensor.Bytes) < AvailableMemory(options) / 10 * 9;

    private static long AvailableMemory(ModelOptions options) => options.AvailableMemory ?? MemoryLimit.Available;

    /// <summary>
    /// The limit asked for; where none is, but a mixture would not fit, what this process may use, but for the system's own: reading experts when needed is many times
    /// faster than leaving it to the system which pages to drop.
    /// </summary>
    private static ModelOptions Settle(ModelOptions options, ModelFile file)
    {
        bool isMixture = file.Tensors.Any(tensor => tensor.Name.Contains("_exps.", StringComparison.Ordinal));
        return options.MemoryLimit is null && options.Repack && isMixture && !CanRepack(options, file)
            ? options with { MemoryLimit = AvailableMemory(options) / 100 * 97 }
            : options;
    }

    /// <summary>
    /// Bytes of all weights in the form in which they are read: rearranged, or as stored. Of what is rearranged the mapped pages are given
    /// back; a file that was read into memory stays there as a whole. What only devices read is not prepared.
    /// </summary>
    private long WeightBytesInMemory()
    {
        if (MemoryPlan is { IsStreamed: true } plan)
            return plan.NeededBytes + (plan.Slots * plan.SlotBytes);
        bool packs = _cpu.Repacks && _cpu.Arithmetic == ActivationType.Q8;
        bool looksUpOnly = !Multiplies(_transformer.Embedding);
        long bytes = 0;
        foreach (Tensor tensor in File.Tensors)
        {
            bool isEmbedding = tensor.Name == "token_embd.weight";
            bool isPacked = packs && PackedMatrix.Has(tensor.Type) && !(isEmbedding && looksUpOnly);
            bool isMapped = tensor.Parts[0].File is not null && !(isEmbedding && !Options.Memory.Map);
            bytes += isPacked ? PackedMatrix.BytesOf(tensor.Type, tensor.Count / tensor.Shape[^1], tensor.Shape[^1]) : 0;
            bytes += isPacked && isMapped ? 0 : tensor.Bytes;
        }

        return Math.Max(0, bytes - _elsewhere.Where(linear => !linear.LooksUp).Sum(linear => linear.PreparedBytes));
    }

    /// <summary>Whether products in memory read a matrix: it is more than a table of embeddings, and not on a device only.</summary>
    private bool Multiplies(Linear linear) => (!linear.LooksUp || ReferenceEquals(linear, _transformer.Head)) && !_elsewhere.Contains(linear);

    private void UseRepackCache(WeightReader reader, string folder)
    {
        if (_stream is { IsOpen: true })
            Options.Warn?.Invoke($"{File.Path}: no rearranged weights are kept, as experts are read from the model's file when needed.");
        else if (RepackCache.Use(File.Path, folder, reader.Linears.Where(Multiplies), _cpu, Options.Warn) is { } cache)
            reader.Own(cache);
    }

    /// <summary>Brings weights to where they are to lie while the model is loaded, as the options say.</summary>
    private void PlaceWeights(WeightReader reader)
    {
        var places = new List<NativeView>();
        foreach (Linear linear in reader.Linears)
        {
            bool multiplies = Multiplies(linear);
            if (linear.LooksUp && !Options.Memory.Map)
                linear.KeepRows();
            if (multiplies)
                linear.Prepare();
            places.AddRange(linear.Places(multiplies));
        }

        if (Options.Memory.Populate)
            _cpu.Touch(places);
        if (!Options.Memory.Lock)
            return;
        if (_stream is { IsOpen: true })
            places.Add(_stream.Memory);
        if (LockedMemory.TryLock(places, out string refusal) is { } locked)
            reader.Own(locked);
        else
            Options.Warn?.Invoke(refusal);
    }

    private static ModelInfo Describe(ModelFile file, string architecture, WeightReader reader, Transformer transformer)
    {
        bool tied = ReferenceEquals(transformer.Embedding, transformer.Head);
        long lookup = tied ? 0 : (long)transformer.Embedding.Outputs * transformer.Embedding.Inputs;
        return new ModelInfo(
            architecture,
            file.Metadata.FindString("general.name") ?? Path.GetFileNameWithoutExtension(file.Path),
            transformer.Head.Outputs,
            RopeScaling.ContextLength(reader),
            transformer.Embedding.Inputs,
            transformer.Blocks.Length,
            reader.Parameters,
            reader.Parameters - reader.IdleParameters - lookup,
            reader.Bytes);
    }

    private void Release()
    {
        foreach (IDisposable owned in _owned)
            owned.Dispose();
        _cpu.Dispose();
    }

    /// <summary>Checks every row, reserves its position, and counts the rows that want logits.</summary>
    private int Admit(Batch batch)
    {
        if (batch.Count == 0)
            throw new InvalidRequestException("The batch is empty; add at least one row.");
        if (batch.Count > Options.MaxBatchRows)
        {
            throw new InvalidRequestException(
                $"The batch has {batch.Count} rows and the model was loaded for at most {Options.MaxBatchRows}; cut it, or raise MaxBatchRows.");
        }

        int wanted = 0;
        foreach (ref readonly BatchRow row in batch.Rows)
        {
            if (row.Position >= Info.ContextLength)
            {
                throw new InvalidRequestException(
                    $"Position {row.Position} lies outside the model's context of {Info.ContextLength} tokens; use a shorter prompt or generate less.");
            }

            if (row.Embedding.IsEmpty ? (uint)row.Token >= (uint)Info.VocabularySize : row.Embedding.Length != Info.EmbeddingLength)
            {
                throw new InvalidRequestException(row.Embedding.IsEmpty
                    ? $"Token {row.Token} lies outside the vocabulary of {Info.VocabularySize}; ids run from 0 to {Info.VocabularySize - 1}."
                    : $"An input embedding has {row.Embedding.Length} numbers; this model's have {Info.EmbeddingLength}.");
            }

            if (row.Sequence.Cache.Shape != CacheShape)
                throw new InvalidRequestException("A sequence lies in another model's cache; create its cache with this model.");
            wanted += row.WantsLogits ? 1 : 0;
        }

        foreach (ref readonly BatchRow row in batch.Rows)
            row.Sequence.Reserve(row.Position + 1);
        return wanted;
    }

    private void Embed(Batch batch, in Activations x)
    {
        for (int index = 0; index < batch.Count; index++)
        {
            ref readonly BatchRow row = ref batch.Rows[index];
            if (row.Embedding.IsEmpty)
                _transformer.Embedding.Row(row.Token, x.Row(index));
            else
                row.Embedding.Span.CopyTo(x.Row(index));
            if (_transformer.EmbeddingScale != 1 && row.Embedding.IsEmpty)
            {
                foreach (ref float value in x.Row(index))
                    value *= _transformer.EmbeddingScale;
            }
        }
    }

    private Logits Head(Step step, in Activations x, int wanted)
    {
        if (wanted == 0)
            return new Logits(_logits, 0, Info.VocabularySize);
        MoveTo(_head.Device, x);
        Activations logits = RoomForLogits(wanted);
        _head.Forward(step, x, logits);
        return Checked(logits, step.Trace);
    }

    private Activations RoomForLogits(int rows)
    {
        if (_logits.Length < (long)rows * Info.VocabularySize)
        {
            _logits.Dispose();
            _logits = new AlignedBuffer<float>((long)rows * Info.VocabularySize);
        }

        return Activations.Floats(_logits, rows, Info.VocabularySize);
    }

    private Logits Checked(in Activations logits, Trace? trace)
    {
        for (int row = 0; row < logits.Rows; row++)
        {
            if (!_cpu.Kernels.AllFinite(logits.Row(row)))
                throw NotFinite("the output head");
        }

        trace?.Add(TraceName.Logits, logits);
        return new Logits(_logits, logits.Rows, Info.VocabularySize);
    }

    private void RequireFinite(in Activations x, int layer)
    {
        for (int row = 0; row < x.Rows; row++)
        {
            if (!_cpu.Kernels.AllFinite(x.Row(row)))
                throw NotFinite($"layer {layer}");
        }
    }

    private NotFiniteNumberException NotFinite(string where) =>
        new($"{File.Path}: {where} produced a value that is not a finite number; the weights are damaged, or their type is too narrow for them.");
}
