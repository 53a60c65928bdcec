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
        Activations gated = scratch.Gate.Rows(x.Rows);
        Activations raised = scratch.Up.Rows(x.Rows);
        gate.Forward(x, gated);
        up.Forward(x, raised);
        cpu.Pool.Run(new GateJob(cpu.Kernels, activation, gated, raised, down.ReadsQ8), x.Rows, grain: 1);
        down.Forward(gated, y);
    }

    /// <summary>gate = activation(gate) ⊙ up for every row, with its 8-bit form where asked.</summary>
    internal readonly struct GateJob(KernelSet kernels, GateActivation activation, Activations gate, Activations up, bool quantize) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
            {
                kernels.Gate(activation, gate.Row(row), up.Row(row), gate.Row(row));
                if (quantize)
                    kernels.QuantizeRow(gate, row);
            }
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
