using BenchmarkDotNet.Attributes;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Bench.Micro;

/// <summary>The two halves of attention for one head: scores of the keys, and the weighted sum of the values.</summary>
[Config(typeof(SpeedConfig))]
public class AttentionBenchmarks
{
    private readonly float[] _q = new float[AttentionCase.HeadSize];
    private readonly float[] _scores = new float[AttentionCase.Positions];
    private readonly float[] _output = new float[AttentionCase.HeadSize];
    private AlignedBuffer<byte> _cache = null!;
    private CacheRows _rows;
    private KernelSet _kernels = null!;

    /// <summary>Instruction set and cache type.</summary>
    [ParamsSource(nameof(Cases))]
    public AttentionCase Case { get; set; } = null!;

    /// <summary>All cases.</summary>
    public static IEnumerable<AttentionCase> Cases => AttentionCase.All;

    /// <summary>Fills the cache.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _kernels = KernelSet.Select(Case.Isa);
        ElementFormat format = Case.CacheType.Format();
        int elements = AttentionCase.Positions * AttentionCase.HeadSize;
        var values = new float[elements];
        RandomWeights.Fill(values);
        RandomWeights.Fill(_q);
        RandomWeights.Fill(_scores);
        _cache = new AlignedBuffer<byte>(format.RowBytes(elements));
        format.Quantize(values, _cache.Span);
        _rows = CacheRows.Apart(_cache.View, format.Type, AttentionCase.HeadSize, AttentionCase.HeadSize, AttentionCase.Positions);
    }

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public void Cleanup() => _cache.Dispose();

    /// <summary>q · k of every position.</summary>
    [Benchmark]
    public void Scores() => _kernels.Scores(_q, _rows, 0.1f, _scores);

    /// <summary>The sum of all values by their weights.</summary>
    [Benchmark]
    public void WeightedSum() => _kernels.AddWeighted(_scores, _rows, _output);
}
