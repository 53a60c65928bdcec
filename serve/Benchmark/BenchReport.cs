using Pure.Engine.Formats;
using Pure.Engine.Models;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Benchmark;

/// <summary>What <c>pure bench --json</c> writes: the figures of one case, and everything that they need to be believed.</summary>
internal sealed record BenchReport
{
    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The shape, of random weights.</summary>
    public string? Shape { get; init; }

    /// <summary>The mix of element types; of a file the type that most of its bytes have.</summary>
    public required string Type { get; init; }

    /// <summary>Threads in use.</summary>
    public required int Threads { get; init; }

    /// <summary>Instruction set in use.</summary>
    public required string Isa { get; init; }

    /// <summary>What quantised weights are multiplied with.</summary>
    public required string Activations { get; init; }

    /// <summary>How keys and values are stored.</summary>
    public required string KvType { get; init; }

    /// <summary>What was placed on devices; null where all ran on the processor.</summary>
    public string? Device { get; init; }

    /// <summary>How often routed experts were found on devices so far; null where these have no cache of them.</summary>
    public string? DeviceExperts { get; init; }

    /// <summary>How latent attention reads prompts.</summary>
    public required string Mla { get; init; }

    /// <summary>Whether quantised weights may be rearranged when they are loaded.</summary>
    public required bool Repack { get; init; }

    /// <summary>Whether machine code may be written at run time.</summary>
    public required bool Emit { get; init; }

    /// <summary>Most prompt tokens at once.</summary>
    public required int PromptChunk { get; init; }

    /// <inheritdoc cref="BenchCase(int, int, int, int, int)"/>
    public required int Prompt { get; init; }

    /// <inheritdoc cref="BenchCase(int, int, int, int, int)"/>
    public required int Generate { get; init; }

    /// <inheritdoc cref="BenchCase(int, int, int, int, int)"/>
    public required int Depth { get; init; }

    /// <inheritdoc cref="BenchCase(int, int, int, int, int)"/>
    public required int Batch { get; init; }

    /// <inheritdoc cref="BenchCase(int, int, int, int, int)"/>
    public required int Repetitions { get; init; }

    /// <summary>Seconds from a file's path to a model that can compute; null where it is no file.</summary>
    public double? LoadSeconds { get; init; }

    /// <summary>Prompt tokens per second: the median.</summary>
    public double? PrefillTps { get; init; }

    /// <summary>The lowest.</summary>
    public double? PrefillTpsLowest { get; init; }

    /// <summary>The highest.</summary>
    public double? PrefillTpsHighest { get; init; }

    /// <summary>Decoded tokens per second, over all sequences: the median.</summary>
    public double? DecodeTps { get; init; }

    /// <summary>The lowest.</summary>
    public double? DecodeTpsLowest { get; init; }

    /// <summary>The highest.</summary>
    public double? DecodeTpsHighest { get; init; }

    /// <summary>Weights.</summary>
    public required long Parameters { get; init; }

    /// <summary>Bytes of all weights in the file.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Bytes of weights that one decoded token needs, as the file stores them.</summary>
    public required long WeightBytesPerToken { get; init; }

    /// <summary>Bytes per second that so many threads can read from memory: the best around each repetition, of which the median.</summary>
    public required double ReadBandwidth { get; init; }

    /// <summary>
    /// The part of the bandwidth of its own repetition at which decoding reads weights, the median; more than 1 where caches hold them. One
    /// sequence only.
    /// </summary>
    public double? ReadShare { get; init; }

    /// <summary>Bytes of garbage per decoded token.</summary>
    public double? AllocatedBytesPerToken { get; init; }

    /// <summary>How often all threads wait for each other in a layer while decoding.</summary>
    public required double BarriersPerLayer { get; init; }

    /// <summary>Bytes that the case was to need at most: weights, cache, buffers and the runtime, as <c>pure info</c> adds them up.</summary>
    public required long MemoryDeclared { get; init; }

    /// <summary>
    /// Bytes that the process had at most before bandwidth was measured; null where it did something else before, such as another case or
    /// making weights.
    /// </summary>
    public long? MemoryPeak { get; init; }

    /// <summary>SHA-256 of the last logits, which depend on the model and the case alone.</summary>
    public required string LogitsHash { get; init; }

    /// <summary>The machine.</summary>
    public required Machine Machine { get; init; }

    /// <summary>The report of <paramref name="run"/>; <paramref name="isFirst"/> says that the process did nothing else before.</summary>
    internal static BenchReport Of(Model model, BenchModel source, BenchCase what, BenchRun run, Machine machine, bool isFirst)
    {
        ExecutionReport execution = ExecutionReport.Of(model);
        long perToken = WeightTraffic.BytesPerToken(model.File);
        return new BenchReport
        {
            Model = model.Info.Name,
            Shape = source.Shape?.Name,
            Type = source.Mix?.Name ?? UsualType(model.File),
            Threads = execution.Threads,
            Isa = execution.Isa,
            Activations = execution.Activations,
            KvType = execution.KvType,
            Device = DeviceChoice.Placed(model)?.ToString(),
            DeviceExperts = MemoryFigures.DeviceReads(model),
            Mla = model.Options.Mla == LatentForm.Expanded ? "expand" : "absorb",
            Repack = model.Options.Repack,
            Emit = model.Options.Emit,
            PromptChunk = model.Options.MaxBatchRows,
            Prompt = what.Prompt,
            Generate = what.Generate,
            Depth = what.Depth,
            Batch = what.Batch,
            Repetitions = what.Repetitions,
            PrefillTps = run.Prefill?.Median,
            PrefillTpsLowest = run.Prefill?.Lowest,
            PrefillTpsHighest = run.Prefill?.Highest,
            DecodeTps = run.Decode?.Median,
            DecodeTpsLowest = run.Decode?.Lowest,
            DecodeTpsHighest = run.Decode?.Highest,
            Parameters = model.Info.Parameters,
            WeightBytes = model.Info.WeightBytes,
            WeightBytesPerToken = perToken,
            ReadBandwidth = run.Bandwidth!.Value.Median,
            ReadShare = what.Batch == 1 ? run.StepsPerByte?.Median * perToken : null,
            AllocatedBytesPerToken = run.AllocatedPerToken?.Median,
            BarriersPerLayer = run.BarriersPerLayer,
            MemoryDeclared = Figures.RuntimeBytes + model.MemoryFor(what.Positions * what.Batch).Total,
            MemoryPeak = isFirst && source.Path is not null ? run.PeakBytes : null,
            LogitsHash = run.LogitsHash,
            Machine = machine,
        };
    }

    private static string UsualType(ModelFile file) =>
        file.Tensors.GroupBy(tensor => tensor.Type).MaxBy(group => group.Sum(tensor => tensor.Bytes))!.Key.ToString();
}
