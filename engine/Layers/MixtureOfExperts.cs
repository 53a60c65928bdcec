using Pure.Engine.Kernels;
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
    private readonly Cpu _cpu;
    private readonly RouterShape _shape;
    private readonly Router _router;
    private readonly Weights _weights;
    private readonly Scratch _scratch;

    internal MixtureOfExperts(Cpu cpu, RouterShape shape, Weights weights, Scratch scratch)
    {
        _cpu = cpu;
        _shape = shape;
        _router = new Router(shape, weights.SelectionBias);
        _weights = weights;
        _scratch = scratch;
    }

    /// <inheritdoc/>
    internal override bool ReadsQ8 => _weights.Gate[0].ReadsQ8 | _weights.Up[0].ReadsQ8 | (_weights.Shared?.ReadsQ8 ?? false);

    /// <summary>How experts are chosen.</summary>
    internal RouterShape Shape => _shape;

    /// <summary>The layer's weights.</summary>
    internal Weights LayerWeights => _weights;

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
        HiddenWork hidden = Hidden(x, pairs);
        if (_weights.Shared is { HasOrder: false } network)
        {
            _cpu.Run(hidden, network.Hidden(x));
            _cpu.Run(Lowered(pairs, outputs), network.Lowered(x.Rows, shared));
        }
        else
        {
            _cpu.Run(hidden);
            _cpu.Run(Lowered(pairs, outputs));
            _weights.Shared?.Forward(step, x, shared);
        }

        _weights.SharedGate?.Forward(x, sharedGate);
        _cpu.Pool.Run(new CombineJob(this, outputs, shared, sharedGate, y), x.Rows, grain: 1);
    }

    /// <summary>Every active expert's hidden columns for its tokens.</summary>
    private HiddenWork Hidden(in Activations x, int pairs)
    {
        Assignments assignments = _scratch.Assignments;
        foreach (int expert in assignments.ActiveExperts)
        {
            _weights.Gate[expert].Prepare();
            _weights.Up[expert].Prepare();
        }

        int tile = GatedFeedForward.Tile(_weights.Gate[assignments.Active[0]], PairsPerExpert(pairs));
        return new HiddenWork(this, x, _scratch.Hidden.Gate.Rows(pairs), _scratch.Hidden.Up.Rows(pairs), tile);
    }

    /// <summary>Every active expert's output for its tokens.</summary>
    private LoweredWork Lowered(int pairs, in Activations y)
    {
        Assignments assignments = _scratch.Assignments;
        foreach (int expert in assignments.ActiveExperts)
            _weights.Down[expert].Prepare();
        return new LoweredWork(
            this, _scratch.Hidden.Gate.Rows(pairs), y, _weights.Down[assignments.Active[0]].Grain(PairsPerExpert(pairs)));
    }

    private int PairsPerExpert(int pairs) => Math.Max(1, pairs / _scratch.Assignments.ActiveCount);

    private void Route(int row, ReadOnlySpan<float> logits)
    {
        int first = row * _shape.Used;
        _router.Choose(
            logits,
            _scratch.Assignments.Experts.AsSpan(first, _shape.Used),
            _scratch.Assignments.Weights.AsSpan(first, _shape.Used));
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

    /// <summary>Items are (active expert, tile of hidden columns).</summary>
    private readonly struct HiddenWork(MixtureOfExperts mixture, Activations x, Activations gated, Activations raised, int tile) : IWork
    {
        public int Count => mixture._scratch.Assignments.ActiveCount * Tiles;

        private int Tiles => (mixture._weights.Gate[0].Outputs + tile - 1) / tile;

        public void Run(int begin, int end)
        {
            Assignments assignments = mixture._scratch.Assignments;
            Weights weights = mixture._weights;
            for (int item = begin; item < end; item++)
            {
                (int active, int part) = Math.DivRem(item, Tiles);
                (int expert, int first, int count) = assignments.Slots(active);
                GatedFeedForward.Hide(
                    mixture._cpu.Kernels,
                    weights.Activation,
                    weights.Gate[expert],
                    weights.Up[expert],
                    part * tile,
                    Math.Min((part + 1) * tile, weights.Gate[expert].Outputs),
                    x,
                    assignments.Rows.AsSpan(first, count),
                    gated.Slice(first, count),
                    raised.Slice(first, count),
                    weights.Down[expert].ReadsQ8);
            }
        }
    }

    /// <summary>Items are (active expert, tile of outputs).</summary>
    private readonly struct LoweredWork(MixtureOfExperts mixture, Activations hidden, Activations y, int tile) : IWork
    {
        public int Count => mixture._scratch.Assignments.ActiveCount * Tiles;

        private int Tiles => (mixture._weights.Down[0].Outputs + tile - 1) / tile;

        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
            {
                (int active, int part) = Math.DivRem(item, Tiles);
                (int expert, int first, int count) = mixture._scratch.Assignments.Slots(active);
                Linear down = mixture._weights.Down[expert];
                down.Forward(
                    part * tile, Math.Min((part + 1) * tile, down.Outputs), hidden.Slice(first, count), [], y.Slice(first, count));
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

        /// <summary>Experts that any row chose, ascending.</summary>
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

    /// <summary>Buffers that all layers of a model share.</summary>
    internal sealed class Scratch(int maxRows, RouterShape shape, int embedding, int hidden) : IDisposable
    {
        /// <summary><c>[rows, experts]</c>.</summary>
        internal ActivationBuffer RouterLogits { get; } = new(maxRows, shape.Experts);

        /// <summary>Which experts the rows chose.</summary>
        internal Assignments Assignments { get; } = new(maxRows, shape);

        /// <summary><c>[pairs, hidden]</c>.</summary>
        internal GatedFeedForward.Scratch Hidden { get; } = new(maxRows * shape.Used, hidden);

        /// <summary><c>[pairs, embedding]</c>.</summary>
        internal ActivationBuffer Outputs { get; } = new(maxRows * shape.Used, embedding);

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
