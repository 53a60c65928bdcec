using Pure.Engine.Kernels;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>The position-wise part of a layer: one feed-forward network, or a mixture of them.</summary>
internal abstract class FeedForward : Sublayer;

/// <summary>
/// A gated network: down·(activation(gate·x) ⊙ up·x); with SiLU it is SwiGLU (Shazeer 2020, arXiv:2002.05202, equation 6).
/// </summary>
/// <param name="cpu">What to compute with.</param>
/// <param name="activation">What the gate passes through.</param>
/// <param name="gate"><c>[hidden, embedding]</c>.</param>
/// <param name="up"><c>[hidden, embedding]</c>.</param>
/// <param name="down"><c>[embedding, hidden]</c>.</param>
/// <param name="scratch">Shared buffers.</param>
internal sealed class GatedFeedForward(
    Cpu cpu, GateActivation activation, Linear gate, Linear up, Linear down, GatedFeedForward.Scratch scratch) : FeedForward
{
    /// <inheritdoc/>
    internal override bool ReadsQ8 => gate.ReadsQ8 | up.ReadsQ8;

    /// <summary>What the gate passes through.</summary>
    internal GateActivation Activation => activation;

    /// <summary><c>[hidden, embedding]</c>.</summary>
    internal Linear Gate => gate;

    /// <summary><c>[hidden, embedding]</c>.</summary>
    internal Linear Up => up;

    /// <summary><c>[embedding, hidden]</c>.</summary>
    internal Linear Down => down;

    /// <inheritdoc/>
    internal override void Forward(Step step, in Activations x, in Activations y)
    {
        if (HasOrder)
        {
            // Arranged inputs share a buffer: one product at a time.
            Activations gated = scratch.Gate.Rows(x.Rows);
            gate.Forward(x, gated);
            up.Forward(x, scratch.Up.Rows(x.Rows));
            cpu.Pool.Run(new GateJob(cpu.Kernels, activation, gated, scratch.Up.Rows(x.Rows), down.ReadsQ8), x.Rows, grain: 1);
            down.Forward(gated, y);
            return;
        }

        cpu.Run(Hidden(x));
        cpu.Run(Lowered(x.Rows, y));
    }

    /// <summary>Whether a matrix arranges its inputs; then the two works below are not to be had.</summary>
    internal bool HasOrder => gate.Order is not null || up.Order is not null || down.Order is not null;

    /// <summary>activation(gate·x) ⊙ up·x, with its 8-bit form where <see cref="Down"/> reads it.</summary>
    internal HiddenWork Hidden(in Activations x)
    {
        gate.Prepare();
        up.Prepare();
        return new HiddenWork(this, x, scratch.Gate.Rows(x.Rows), scratch.Up.Rows(x.Rows), Tile(gate, x.Rows));
    }

    /// <summary>down · what <see cref="Hidden(in Activations)"/> made.</summary>
    internal Linear.Work Lowered(int rows, in Activations y) => down.Prepared(scratch.Gate.Rows(rows), y);

    /// <summary>Hidden columns handed out at a time: whole 8-bit blocks.</summary>
    internal static int Tile(Linear gate, int rows) =>
        (gate.Grain(rows) + Activations.BlockSize - 1) / Activations.BlockSize * Activations.BlockSize;

    /// <summary>
    /// gated = activation(gate·x) ⊙ up·x in columns <paramref name="from"/> to <paramref name="to"/> - 1 for the given input rows (empty:
    /// all); raised is used on the way.
    /// </summary>
    internal static void Hide(
        KernelSet kernels,
        GateActivation activation,
        Linear gate,
        Linear up,
        int from,
        int to,
        in Activations x,
        ReadOnlySpan<int> inputRows,
        in Activations gated,
        in Activations raised,
        bool quantize)
    {
        gate.Forward(from, to, x, inputRows, gated);
        up.Forward(from, to, x, inputRows, raised);
        for (int row = 0; row < gated.Rows; row++)
            PassGate(kernels, activation, row, from, to, gated, raised, quantize);
    }

    /// <summary>gated = activation(gated) ⊙ raised in some columns of one row, with their 8-bit form where asked.</summary>
    private static void PassGate(
        KernelSet kernels, GateActivation activation, int row, int from, int to, in Activations gated, in Activations raised, bool quantize)
    {
        Span<float> columns = gated.Row(row)[from..to];
        kernels.Gate(activation, columns, raised.Row(row)[from..to], columns);
        if (quantize)
            kernels.QuantizeRow(gated, row, from, to - from);
    }

    /// <summary>The hidden columns in tiles.</summary>
    internal readonly struct HiddenWork(GatedFeedForward network, Activations x, Activations gated, Activations raised, int tile) : IWork
    {
        /// <inheritdoc/>
        public int Count => (network.Gate.Outputs + tile - 1) / tile;

        /// <inheritdoc/>
        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
                network.Hide(item * tile, Math.Min((item + 1) * tile, network.Gate.Outputs), x, gated, raised);
        }
    }

    private void Hide(int from, int to, in Activations x, in Activations gated, in Activations raised) =>
        Hide(cpu.Kernels, activation, gate, up, from, to, x, [], gated, raised, down.ReadsQ8);

    /// <summary>gate = activation(gate) ⊙ up for every row, with its 8-bit form where asked.</summary>
    private readonly struct GateJob(KernelSet kernels, GateActivation activation, Activations gate, Activations up, bool quantize) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
                PassGate(kernels, activation, row, 0, gate.Columns, gate, up, quantize);
        }
    }

    /// <summary>Buffers that all layers of a model share.</summary>
    internal sealed class Scratch(int maxRows, int hidden) : IDisposable
    {
        /// <summary><c>[rows, hidden]</c>.</summary>
        internal ActivationBuffer Gate { get; } = new(maxRows, hidden);

        /// <summary><c>[rows, hidden]</c>.</summary>
        internal ActivationBuffer Up { get; } = new(maxRows, hidden);

        public void Dispose()
        {
            Gate.Dispose();
            Up.Dispose();
        }
    }
}
