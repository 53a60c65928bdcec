using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Devices;

/// <summary>The processor as a device: what it computes is the definition. The hidden state, keys and values are in memory.</summary>
internal sealed class Processor(Cpu cpu, int maxRows, int embedding) : IDevice
{
    private readonly ActivationBuffer _normed = new(maxRows, embedding);
    private readonly ActivationBuffer _branch = new(maxRows, embedding);
    private readonly ActivationBuffer _wanted = new(maxRows, embedding);

    /// <inheritdoc/>
    public string Name => "cpu";

    /// <inheritdoc/>
    public long FreeBytes => long.MaxValue;

    /// <inheritdoc/>
    public string? Refusal(Branch branch, Placement placement) => null;

    /// <inheritdoc/>
    public DeviceBytes BytesOf(Branch branch, Placement placement) => new(0, 0);

    /// <inheritdoc/>
    public DeviceBytes? BytesOf(OutputHead head) => new(0, 0);

    /// <inheritdoc/>
    public IDeviceBranch Place(Branch branch, Placement placement) => new PlacedBranch(this, branch);

    /// <inheritdoc/>
    public IDeviceHead Place(OutputHead head) => new PlacedHead(this, head);

    /// <inheritdoc/>
    public IDeviceCache? CreateCache(CacheShape shape, int blocks, IReadOnlyList<int> layers) => null;

    /// <inheritdoc/>
    public void Begin(Batch batch)
    {
    }

    /// <inheritdoc/>
    public void Take(in Activations x)
    {
    }

    /// <inheritdoc/>
    public void Give(in Activations x)
    {
    }

    /// <summary>x += scale · postNorm(sublayer(norm(x))).</summary>
    internal void Run(Branch branch, Step step, in Activations x)
    {
        BranchNames names = branch.IsAttention ? BranchNames.Attention : BranchNames.FeedForward;
        Activations normed = _normed.Rows(step.Rows);
        Activations result = _branch.Rows(step.Rows);
        branch.Norm.Forward(x, normed, branch.Sublayer.ReadsQ8);
        step.Record(names.Norm, normed);
        branch.Sublayer.Forward(step, normed, result);
        step.Record(names.Out, result);
        if (branch.PostNorm is not null)
        {
            branch.PostNorm.Forward(result, result, quantize: false);
            step.Record(names.PostNorm, result);
        }

        cpu.AddScaled(x, branch.Scale, result);
        step.Record(names.Residual, x);
    }

    /// <summary>Logits of hidden states <c>[rows, embedding]</c>, which are copied.</summary>
    internal void Run(OutputHead head, in Activations last, in Activations logits, Trace? trace)
    {
        Activations normed = _wanted.Rows(last.Rows);
        head.Norm.Forward(last, normed, head.Matrix.ReadsQ8);
        trace?.Add(TraceName.OutputNorm, normed);
        head.Matrix.Forward(normed, logits);
        for (int row = 0; row < logits.Rows && head.Divisor != 1; row++)
            cpu.Kernels.Divide(logits.Row(row), head.Divisor);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _normed.Dispose();
        _branch.Dispose();
        _wanted.Dispose();
    }

    private sealed class PlacedBranch(Processor device, Branch branch) : IDeviceBranch
    {
        public IDevice Device => device;

        public void Forward(Step step, in Activations x) => device.Run(branch, step, x);
    }

    private sealed class PlacedHead(Processor device, OutputHead head) : IDeviceHead
    {
        public IDevice Device => device;

        public void Forward(Step step, in Activations x, in Activations logits)
        {
            Activations last = device._wanted.Rows(logits.Rows);
            for (int index = 0, next = 0; index < step.Rows; index++)
            {
                if (step.Batch.Rows[index].WantsLogits)
                    x.Row(index).CopyTo(last.Row(next++));
            }

            device.Run(head, last, logits, step.Trace);
        }
    }

    /// <summary>A branch's intermediates in a trace.</summary>
    private readonly record struct BranchNames(string Norm, string Out, string PostNorm, string Residual)
    {
        internal static readonly BranchNames Attention =
            new(TraceName.AttentionNorm, TraceName.AttentionOut, TraceName.AttentionPostNorm, TraceName.AttentionResidual);

        internal static readonly BranchNames FeedForward =
            new(TraceName.FeedForwardNorm, TraceName.FeedForwardOut, TraceName.FeedForwardPostNorm, TraceName.LayerOut);
    }
}
