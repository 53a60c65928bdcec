using Pure.Engine.Kernels;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>
/// The order in which a matrix stores its columns, where that is not the order of its inputs (GPTQ's act-order): the inputs are arranged
/// in it, once per product, and the weights stay as small as they are.
/// </summary>
/// <param name="inputOf">The input that each column multiplies <c>[columns]</c>.</param>
/// <param name="arranged">Arranged inputs <c>[rows, columns]</c>; shared by all matrices of this width.</param>
internal sealed class InputOrder(int[] inputOf, ActivationBuffer arranged)
{
    /// <summary>The input that each column multiplies <c>[columns]</c>.</summary>
    internal ReadOnlySpan<int> InputOf => inputOf;

    /// <summary>The rows of <paramref name="x"/> in the order of the columns, with their 8-bit form where asked.</summary>
    internal Activations Arrange(Cpu cpu, in Activations x, bool quantize)
    {
        Activations rows = arranged.Rows(x.Rows);
        cpu.Pool.Run(new ArrangeJob(cpu.Kernels, inputOf, x, rows, quantize), x.Rows, grain: 1);
        return rows;
    }

    private readonly struct ArrangeJob(KernelSet kernels, int[] inputOf, Activations from, Activations to, bool quantize) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
            {
                ReadOnlySpan<float> inputs = from.Row(row);
                Span<float> columns = to.Row(row);
                for (int column = 0; column < columns.Length; column++)
                    columns[column] = inputs[inputOf[column]];
                if (quantize)
                    kernels.QuantizeRow(to, row);
            }
        }
    }
}
