using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Models;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>
/// A mixture of gated experts with shared experts beside them (DeepSeekMoE, arXiv:2401.06066, section 3). Tokens are grouped by expert
/// so that each expert's weights are read once per batch; a token's experts are still summed in the order of their rank, the shared
/// expert last, so grouping changes where work happens and not a bit of the result.
/// </summary>
internal sealed class MixtureOfExperts : FeedForward
{
    // Of a long batch, some rows name nearly every expert that all would name.
    private const int RowsToGuessFrom = 64;

    private readonly Cpu _cpu;
    private readonly RouterShape _shape;
    private readonly Router _router;
    private readonly Weights _weights;
    private readonly Scratch _scratch;
    private readonly ExpertStream? _stream;
    private readonly int _number;

    /// <param name="cpu">What to compute with.</param>
    /// <param name="shape">How experts are chosen.</param>
    /// <param name="weights">The layer's weights.</param>
    /// <param name="scratch">Shared buffers.</param>
    /// <param name="stream">What loads the experts of all layers on demand, if it is open; null to hold them all.</param>
    internal MixtureOfExperts(Cpu cpu, RouterShape shape, Weights weights, Scratch scratch, ExpertStream? stream = null)
    {
        _cpu = cpu;
        _shape = shape;
        _router = new Router(shape, weights.SelectionBias);
        _weights = weights;
        _scratch = scratch;
        _stream = stream;
        _number = stream?.Add(this) ?? 0;
    }

    private MixtureOfExperts(MixtureOfExperts whole)
    {
        (_cpu, _shape, _router, _scratch) = (whole._cpu, whole._shape, whole._router, whole._scratch);
        (_stream, _number) = (whole._stream, whole._number);
        _weights = whole._weights with { Shared = null, SharedGate = null };
    }

    /// <inheritdoc/>
    internal override bool ReadsQ8 => _weights.Gate[0].ReadsQ8 | _weights.Up[0].ReadsQ8 | (_weights.Shared?.ReadsQ8 ?? false);

    /// <summary>How experts are chosen.</summary>
    internal RouterShape Shape => _shape;

    /// <summary>What chooses them.</summary>
    internal Router Router => _router;

    /// <summary>The layer's weights.</summary>
    internal Weights LayerWeights => _weights;

    /// <summary>Its routed experts alone, on the same weights and buffers: what stays in memory where a device has the shared ones.</summary>
    internal MixtureOfExperts WithoutShared() => new(this);

    /// <summary>Makes the 8-bit form of an input that comes without, where it is read.</summary>
    internal void Quantize(in Activations x)
    {
        if (ReadsQ8)
            _cpu.Quantize(x);
    }

    /// <inheritdoc/>
    internal override void Forward(Step step, in Activations x, in Activations y)
    {
        Activations logits = _scratch.RouterLogits.Rows(x.Rows);
        _weights.Router.Forward(x, logits);
        step.Record(TraceName.RouterLogits, logits);
        _cpu.Pool.Run(new RouteJob(this, logits), x.Rows, grain: 8);

        int pairs = x.Rows * _shape.Used;
        Assignments assignments = _scratch.Assignments;
        assignments.Group(pairs);
        Activations outputs = _scratch.Outputs.Rows(pairs);
        Activations shared = _scratch.Shared.Rows(x.Rows);
        Activations sharedGate = _scratch.SharedGate.Rows(x.Rows);
        AskForExperts(x);
        for (int done = 0, ready; done < assignments.ActiveCount; done += ready)
        {
            ready = PrepareExperts(done);
            HiddenWork hidden = Hidden(x, Gather(x, pairs, done, ready), pairs, done, ready);
            if (done == 0 && _weights.Shared is { HasOrder: false } network)
            {
                _cpu.Run(hidden, network.Hidden(x));
                _cpu.Run(Lowered(pairs, outputs, done, ready), network.Lowered(x.Rows, shared));
            }
            else
            {
                _cpu.Run(hidden);
                _cpu.Run(Lowered(pairs, outputs, done, ready));
            }
        }

        if (_weights.Shared is { HasOrder: true } ordered)
            ordered.Forward(step, x, shared);
        _weights.SharedGate?.Forward(x, sharedGate);
        _cpu.Pool.Run(new CombineJob(this, outputs, shared, sharedGate, y), x.Rows, grain: 1);
    }

    /// <summary>The matrix of an expert: gate, up, down.</summary>
    internal Linear Matrix(int matrix, int expert) => matrix switch
    {
        0 => _weights.Gate[expert],
        1 => _weights.Up[expert],
        _ => _weights.Down[expert],
    };

    /// <summary>
    /// Where experts are loaded on demand, asks for the active ones, and meanwhile guesses those of the next layer: its router sees this
    /// layer's input, which its own will resemble (Eliseev and Mazur 2023, arXiv:2312.17238, section 3.2).
    /// </summary>
    private void AskForExperts(in Activations x)
    {
        if (_stream is not { IsOpen: true } stream)
            return;
        stream.Ask(_number, _scratch.Assignments.ActiveExperts);
        if (stream.After(_number) is not { } next)
            return;
        int rows = Math.Min(x.Rows, RowsToGuessFrom);
        Activations logits = _scratch.RouterLogits.Rows(rows);
        next._weights.Router.Forward(x.Slice(0, rows), logits);
        stream.Guess(next._number, _scratch.Guesses.Choose(next._router, logits));
    }

    /// <summary>
    /// Makes active experts ready to be computed, from number <paramref name="done"/> on: all of them, or where they are loaded on demand
    /// those that are there, which are moved before the others.
    /// </summary>
    /// <returns>How many are ready.</returns>
    private int PrepareExperts(int done)
    {
        Span<int> experts = _scratch.Assignments.Active.AsSpan(done, _scratch.Assignments.ActiveCount - done);
        if (_stream is { IsOpen: true } stream)
            return stream.Take(_number, experts);
        foreach (int expert in experts)
        {
            _weights.Gate[expert].Prepare();
            _weights.Up[expert].Prepare();
            _weights.Down[expert].Prepare();
        }

        return experts.Length;
    }

    /// <summary>
    /// Of many rows, brings each expert's into panels once, where every tile of its gate and up would do it again.
    /// </summary>
    /// <returns>The panels of all pairs by their slots, an expert's <see cref="Activations.Apart"/>; null where tiles read x.</returns>
    private Activations? Gather(in Activations x, int pairs, int first, int count)
    {
        int expert = _scratch.Assignments.Active[first];
        if (x.Rows <= Panel.MaxWidth || !_weights.Gate[expert].ReadsPanels || !_weights.Up[expert].ReadsPanels)
            return null;
        Activations panels = _scratch.Gathered.Rows(pairs);
        _cpu.Pool.Run(new GatherJob(_scratch.Assignments, x, panels, first), count, grain: 1);
        return panels;
    }

    /// <summary>Hidden columns of <paramref name="count"/> active experts for their tokens.</summary>
    private HiddenWork Hidden(in Activations x, Activations? gathered, int pairs, int first, int count)
    {
        int tile = GatedFeedForward.Tile(_weights.Gate[_scratch.Assignments.Active[first]], PairsPerExpert(pairs));
        return new HiddenWork(this, x, gathered, _scratch.Hidden.Gate.Rows(pairs), _scratch.Hidden.Up.Rows(pairs), first, count, tile);
    }

    /// <summary>Outputs of <paramref name="count"/> active experts for their tokens.</summary>
    private LoweredWork Lowered(int pairs, in Activations y, int first, int count)
    {
        int tile = _weights.Down[_scratch.Assignments.Active[first]].Grain(PairsPerExpert(pairs));
        return new LoweredWork(this, _scratch.Hidden.Gate.Rows(pairs), y, first, count, tile);
    }

    private int PairsPerExpert(int pairs) => Math.Max(1, pairs / _scratch.Assignments.ActiveCount);

    private void Route(int row, ReadOnlySpan<float> logits)
    {
        int first = row * _shape.Used;
        _router.Choose(
            logits,
            _scratch.Assignments.Experts.AsSpan(first, _shape.Used),
            _scratch.Assignments.Weights.AsSpan(first, _shape.Used));
        _router.Count(_scratch.Assignments.Experts.AsSpan(first, _shape.Used));
    }

    private void Combine(int row, in Activations outputs, in Activations shared, in Activations sharedGate, Span<float> y)
    {
        Assignments assignments = _scratch.Assignments;
        y.Clear();
        for (int pair = row * _shape.Used; pair < (row + 1) * _shape.Used; pair++)
            _cpu.Kernels.AddScaled(y, assignments.Weights[pair], outputs.Row(assignments.SlotOf[pair]));
        if (_weights.SharedGate is not null)
            _cpu.Kernels.AddScaled(y, Elementary.Sigmoid(sharedGate.Row(row)[0]), shared.Row(row));
        else if (_weights.Shared is not null)
            _cpu.Kernels.Add(y, shared.Row(row));
    }

    private readonly struct RouteJob(MixtureOfExperts mixture, Activations logits) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
                mixture.Route(row, logits.Row(row));
        }
    }

    /// <summary>Items are active experts.</summary>
    private readonly struct GatherJob(Assignments assignments, Activations x, Activations panels, int firstExpert) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int active = begin; active < end; active++)
            {
                (_, int first, int count) = assignments.Slots(firstExpert + active);
                Panel.Gather(x, assignments.Rows.AsSpan(first, count), panels.Apart(first, count));
            }
        }
    }

    /// <summary>Items are (active expert, tile of hidden columns).</summary>
    private readonly struct HiddenWork(
        MixtureOfExperts mixture,
        Activations x,
        Activations? gathered,
        Activations gated,
        Activations raised,
        int firstExpert,
        int experts,
        int tile) : IWork
    {
        public int Count => experts * Tiles;

        private int Tiles => (mixture._weights.Gate[0].Outputs + tile - 1) / tile;

        public void Run(int begin, int end)
        {
            Assignments assignments = mixture._scratch.Assignments;
            Weights weights = mixture._weights;
            for (int item = begin; item < end; item++)
            {
                (int active, int part) = Math.DivRem(item, Tiles);
                (int expert, int first, int count) = assignments.Slots(firstExpert + active);
                GatedFeedForward.Hide(
                    mixture._cpu.Kernels,
                    weights.Activation,
                    weights.Gate[expert],
                    weights.Up[expert],
                    part * tile,
                    Math.Min((part + 1) * tile, weights.Gate[expert].Outputs),
                    gathered?.Apart(first, count) ?? x,
                    gathered is null ? assignments.Rows.AsSpan(first, count) : [],
                    gated.Apart(first, count),
                    raised.Slice(first, count),
                    weights.Down[expert].ReadsQ8);
            }
        }
    }

    /// <summary>Items are (active expert, tile of outputs).</summary>
    private readonly struct LoweredWork(
        MixtureOfExperts mixture, Activations hidden, Activations y, int firstExpert, int experts, int tile) : IWork
    {
        public int Count => experts * Tiles;

        private int Tiles => (mixture._weights.Down[0].Outputs + tile - 1) / tile;

        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
            {
                (int active, int part) = Math.DivRem(item, Tiles);
                (int expert, int first, int count) = mixture._scratch.Assignments.Slots(firstExpert + active);
                Linear down = mixture._weights.Down[expert];
                down.Forward(
                    part * tile, Math.Min((part + 1) * tile, down.Outputs), hidden.Apart(first, count), [], y.Slice(first, count));
            }
        }
    }

    private readonly struct CombineJob(
        MixtureOfExperts mixture, Activations outputs, Activations shared, Activations sharedGate, Activations y) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
                mixture.Combine(row, outputs, shared, sharedGate, y.Row(row));
        }
    }

    /// <summary>The layer's weights.</summary>
    /// <param name="Router"><c>[experts, embedding]</c>.</param>
    /// <param name="SelectionBias">Added to the scores for choosing only <c>[experts]</c>, or null.</param>
    /// <param name="Gate">Each expert's <c>[hidden, embedding]</c>.</param>
    /// <param name="Up">Each expert's <c>[hidden, embedding]</c>.</param>
    /// <param name="Down">Each expert's <c>[embedding, hidden]</c>.</param>
    /// <param name="Shared">The shared experts as one feed-forward network, or null.</param>
    /// <param name="SharedGate">Weighs the shared experts by its sigmoid <c>[1, embedding]</c>; null for a weight of 1.</param>
    /// <param name="Activation">What the experts' gates pass through.</param>
    internal sealed record Weights(
        Linear Router,
        float[]? SelectionBias,
        Linear[] Gate,
        Linear[] Up,
        Linear[] Down,
        GatedFeedForward? Shared = null,
        Linear? SharedGate = null,
        GateActivation Activation = GateActivation.Silu);

    /// <summary>
    /// Which experts the rows chose. A pair is (row, rank), numbered row · used + rank; sorted by expert, each pair has a slot.
    /// </summary>
    internal sealed class Assignments(int maxRows, RouterShape shape)
    {
        /// <summary>Expert of each pair.</summary>
        internal int[] Experts { get; } = new int[maxRows * shape.Used];

        /// <summary>Weight of each pair.</summary>
        internal float[] Weights { get; } = new float[maxRows * shape.Used];

        /// <summary>Slot of each pair.</summary>
        internal int[] SlotOf { get; } = new int[maxRows * shape.Used];

        /// <summary>Row of the pair in each slot.</summary>
        internal int[] Rows { get; } = new int[maxRows * shape.Used];

        /// <summary>First slot of each expert; the last entry is the number of pairs.</summary>
        internal int[] First { get; } = new int[shape.Experts + 1];

        /// <summary>Experts that any row chose; ascending until some are moved to the front.</summary>
        internal int[] Active { get; } = new int[shape.Experts];

        internal int ActiveCount { get; private set; }

        /// <summary>The first <see cref="ActiveCount"/> of <see cref="Active"/>.</summary>
        internal ReadOnlySpan<int> ActiveExperts => Active.AsSpan(0, ActiveCount);

        /// <summary>The slots of an active expert's pairs.</summary>
        internal (int Expert, int First, int Count) Slots(int active)
        {
            int expert = Active[active];
            return (expert, First[expert], First[expert + 1] - First[expert]);
        }

        /// <summary>Sorts the pairs by expert; within an expert by row.</summary>
        internal void Group(int pairs)
        {
            First.AsSpan().Clear();
            for (int pair = 0; pair < pairs; pair++)
                First[Experts[pair] + 1]++;

            ActiveCount = 0;
            for (int expert = 0; expert < shape.Experts; expert++)
            {
                if (First[expert + 1] > 0)
                    Active[ActiveCount++] = expert;
                First[expert + 1] += First[expert];
            }

            Span<int> next = stackalloc int[shape.Experts];
            First.AsSpan(0, shape.Experts).CopyTo(next);
            for (int pair = 0; pair < pairs; pair++)
            {
                int slot = next[Experts[pair]]++;
                SlotOf[pair] = slot;
                Rows[slot] = pair / shape.Used;
            }
        }
    }

    /// <summary>Experts that rows are likely to choose: each once.</summary>
    internal sealed class Choices(RouterShape shape)
    {
        private readonly int[] _chosen = new int[shape.Used];
        private readonly float[] _weights = new float[shape.Used];
        private readonly int[] _experts = new int[shape.Experts];
        private readonly bool[] _isAmong = new bool[shape.Experts];

        /// <summary>The experts that <paramref name="router"/> chooses for the rows of <paramref name="logits"/>.</summary>
        internal ReadOnlySpan<int> Choose(Router router, in Activations logits)
        {
            int count = 0;
            _isAmong.AsSpan().Clear();
            for (int row = 0; row < logits.Rows; row++)
            {
                router.Choose(logits.Row(row), _chosen, _weights);
                foreach (int expert in _chosen)
                {
                    if (!_isAmong[expert])
                        _experts[count++] = expert;
                    _isAmong[expert] = true;
                }
            }

            return _experts.AsSpan(0, count);
        }
    }

    /// <summary>Buffers that all layers of a model share.</summary>
    internal sealed class Scratch(int maxRows, RouterShape shape, int embedding, int hidden) : IDisposable
    {
        /// <summary><c>[rows, experts]</c>.</summary>
        internal ActivationBuffer RouterLogits { get; } = new(maxRows, shape.Experts);

        /// <summary>Which experts the rows chose.</summary>
        internal Assignments Assignments { get; } = new(maxRows, shape);

        /// <summary>Which experts the next layer's rows may choose.</summary>
        internal Choices Guesses { get; } = new(shape);

        /// <summary><c>[pairs, hidden]</c>.</summary>
        internal GatedFeedForward.Scratch Hidden { get; } = new(maxRows * shape.Used, hidden);

        /// <summary><c>[pairs, embedding]</c>.</summary>
        internal ActivationBuffer Outputs { get; } = new(maxRows * shape.Used, embedding);

        /// <summary>
        /// <c>[pairs, embedding]</c>, of which panels alone are used. Outputs, as large, have room for panels that nothing reads.
        /// </summary>
        internal ActivationBuffer Gathered => Outputs;

        /// <summary><c>[rows, embedding]</c>.</summary>
        internal ActivationBuffer Shared { get; } = new(maxRows, embedding);

        /// <summary><c>[rows, 1]</c>.</summary>
        internal ActivationBuffer SharedGate { get; } = new(maxRows, 1);

        public void Dispose()
        {
            RouterLogits.Dispose();
            Hidden.Dispose();
            Outputs.Dispose();
            Shared.Dispose();
            SharedGate.Dispose();
        }
    }
}
