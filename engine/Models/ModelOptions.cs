using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>What quantised weights are multiplied with. Each is its own function, equally repeatable.</summary>
public enum ActivationType
{
    /// <summary>8-bit activations in blocks of 32; products are summed in integers.</summary>
    Q8,

    /// <summary>Float activations; weights are dequantised to floats.</summary>
    F32,
}

/// <summary>
/// How a model is run. None but <see cref="Activations"/>, <see cref="CacheType"/>, <see cref="Mla"/>, <see cref="Rope"/> and <see cref="Device"/>
/// changes a bit of the result.
/// </summary>
public sealed record ModelOptions
{
    /// <summary>Threads to compute with; 0 means the physical cores this process may use.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Whether threads stay on a core each (Linux, Windows), but for those that call: for machines where the system moves them needlessly.
    /// </summary>
    public bool Pin { get; init; }

    /// <summary>Instruction set; null means the best this processor has (or what PURE_ISA names).</summary>
    public Isa? Isa { get; init; }

    /// <summary>What quantised weights are multiplied with.</summary>
    public ActivationType Activations { get; init; } = ActivationType.Q8;

    /// <summary>How keys and values are stored.</summary>
    public CacheType CacheType { get; init; } = CacheType.F16;

    /// <summary>How values are stored where they differ from keys; null for as keys are. Latent attention has one type for both.</summary>
    public CacheType? ValueCacheType { get; init; }

    /// <summary>How latent attention reads prompts; models with another attention have only the first form.</summary>
    public LatentForm Mla { get; init; } = LatentForm.Absorbed;

    /// <summary>What to change of the file's rotary positions, such as stretching them to a longer context.</summary>
    public RopeOptions Rope { get; init; } = new();

    /// <summary>
    /// Whether quantised weights are rearranged for the processor when a layer first uses them: several times faster, at the cost of
    /// memory for a copy that is not shared with other processes. Without, and where the copy would not fit into memory, they are read where
    /// the file is mapped.
    /// </summary>
    public bool Repack { get; init; } = true;

    /// <summary>
    /// Whether machine code may be written at run time where the processor has instructions that .NET lacks (512-bit VNNI). The
    /// <see cref="AppContext"/> switch Pure.Engine.EmitKernels, set to false, forbids it for the whole process.
    /// </summary>
    public bool Emit { get; init; } = true;

    /// <summary>
    /// Bytes of memory that the process is to get by with, or null for what it takes (and what there is, for a mixture of experts that is larger
    /// and to be rearranged). Where a mixture of experts is larger, the weights that
    /// every token needs stay in memory, and experts are read from the file when a token needs them, into as many places as there is room
    /// for. Room is kept for a cache of 4,096 positions: a longer one needs a limit that much lower than the memory there is.
    /// </summary>
    public long? MemoryLimit { get; init; }

    /// <summary>What runs on a device beside the processor.</summary>
    public DeviceOptions Device { get; init; } = new();

    /// <summary>Where weights lie in memory, and when they come there.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>
    /// Told, in one sentence each, what was asked for and cannot be had where the model runs all the same; null for nobody. Called while a model
    /// is loaded or runs.
    /// </summary>
    public Action<string>? Warn { get; init; }

    /// <summary>What a test says that there is of memory; null for what this process may use.</summary>
    internal long? AvailableMemory { get; init; }

    /// <summary>Places for experts, whatever the limit leaves room for: so that a test need not know what a process takes.</summary>
    internal int? ExpertSlots { get; init; }

    /// <summary>Most rows of one batch; longer prompts are cut into chunks.</summary>
    public int MaxBatchRows { get; init; } = 512;
}
