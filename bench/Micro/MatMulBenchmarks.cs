using BenchmarkDotNet.Attributes;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Bench.Micro;

/// <summary>Matrix products on one thread: every element type, instruction set and arithmetic; one row (decode) and sixteen (prefill).</summary>
[Config(typeof(SpeedConfig))]
public class MatMulBenchmarks
{
    private KernelSet _kernels = null!;
    private AlignedBuffer<byte> _bytes = null!;
    private ActivationBuffer _inputs = null!;
    private WeightMatrix _weights;
    private float[] _outputs = [];

    /// <summary>Which product.</summary>
    [ParamsSource(nameof(Cases))]
    public MatMulCase Case { get; set; } = null!;

    /// <summary>All products.</summary>
    public static IEnumerable<MatMulCase> Cases => MatMulCase.All;

    /// <summary>Makes weights and activations.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _kernels = KernelSet.Select(Case.Isa);
        _bytes = RandomWeights.Of(Case.Type, MatMulCase.Rows, MatMulCase.Columns);
        _weights = new WeightMatrix(Case.Type, _bytes.View, MatMulCase.Rows, MatMulCase.Columns);
        _inputs = new ActivationBuffer(Case.Inputs, MatMulCase.Columns);
        _outputs = new float[Case.Inputs * MatMulCase.Rows];
        Activations x = _inputs.Rows(Case.Inputs);
        for (int row = 0; row < Case.Inputs; row++)
        {
            RandomWeights.Fill(x.Row(row));
            _kernels.QuantizeRow(x, row);
        }
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _bytes.Dispose();
        _inputs.Dispose();
    }

    /// <summary>y = x · Wᵀ.</summary>
    [Benchmark]
    public void MatMul()
    {
        Activations x = _inputs.Rows(Case.Inputs);
        if (Case.Activations == ActivationType.Q8)
            _kernels.MatMulQ8(_weights, 0, MatMulCase.Rows, x, [], _outputs, MatMulCase.Rows);
        else
            _kernels.MatMulFloat(_weights, 0, MatMulCase.Rows, x, [], _outputs, MatMulCase.Rows);
    }
}
