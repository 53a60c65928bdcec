using BenchmarkDotNet.Attributes;
using Pure.Engine.Kernels;

namespace Pure.Bench.Micro;

/// <summary>Operations over one row of activations; G/s are elements.</summary>
[Config(typeof(SpeedConfig))]
public class VectorBenchmarks
{
    private const int Length = 4096;

    private readonly float[] _x = new float[Length];
    private readonly float[] _weight = new float[Length];
    private readonly float[] _y = new float[Length];
    private KernelSet _kernels = null!;

    /// <summary>On which instruction set.</summary>
    [ParamsSource(nameof(Cases))]
    public VectorCase Case { get; set; } = null!;

    /// <summary>All instruction sets.</summary>
    public static IEnumerable<VectorCase> Cases => VectorCase.Of(Length);

    /// <summary>Fills the rows.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _kernels = KernelSet.Select(Case.Isa);
        RandomWeights.Fill(_x);
        RandomWeights.Fill(_weight);
    }

    /// <summary>The norm before each step of a layer.</summary>
    [Benchmark]
    public void RmsNorm() => _kernels.RmsNorm(_x, _weight, 1e-6f, _y);

    /// <summary>exp(score - max), which softmax is made of; the copy that gives it fresh scores is in the time.</summary>
    [Benchmark]
    public float Exp()
    {
        _x.CopyTo(_y, 0);
        return _kernels.ExpOfScores(_y).Sum;
    }

    /// <summary>silu(gate) · up.</summary>
    [Benchmark]
    public void SwiGlu() => _kernels.Gate(GateActivation.Silu, _x, _weight, _y);
}
