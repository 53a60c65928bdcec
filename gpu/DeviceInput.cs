using ILGPU;
using ILGPU.Runtime;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>
/// Room on the device for rows of activations <c>[rows, columns]</c>, as floats and as the 8-bit blocks of 32 that quantised weights meet
/// (the engine's Quantization/Q8Activations). Floats are written by anyone; <see cref="MatMul.Quantize"/> makes the blocks of them.
/// </summary>
internal sealed class DeviceInput : IDisposable
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _values;
    private readonly MemoryBuffer1D<Quad, Stride1D.Dense> _codes;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _scales;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _sums;

    /// <exception cref="ArgumentException"><paramref name="columns"/> is no multiple of 32.</exception>
    internal DeviceInput(GpuQueue queue, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        if (columns <= 0 || columns % DeviceFormat.BlockSize != 0)
            throw new ArgumentException($"Rows on the device are blocks of {DeviceFormat.BlockSize} columns; {columns} are none.", nameof(columns));
        Rows = rows;
        Columns = columns;
        long elements = (long)rows * columns;
        _values = queue.Allocate<float>(elements);
        _codes = queue.Allocate<Quad>(elements / 16);
        _scales = queue.Allocate<float>(elements / DeviceFormat.BlockSize);
        _sums = queue.Allocate<int>(elements / DeviceFormat.BlockSize);
    }

    /// <summary>Rows there is room for.</summary>
    internal int Rows { get; }

    internal int Columns { get; }

    /// <summary>The floats <c>[rows, columns]</c>.</summary>
    internal ArrayView<float> Values => _values.View;

    /// <summary>Both forms.</summary>
    internal InputView View => new(Values.Cast<Four>(), _codes.View, _scales.View, _sums.View);

    /// <summary>Bytes that such room takes on the device.</summary>
    internal static long Bytes(long rows, int columns) => (rows * columns * 5) + (rows * columns / DeviceFormat.BlockSize * 8);

    public void Dispose()
    {
        _values.Dispose();
        _codes.Dispose();
        _scales.Dispose();
        _sums.Dispose();
    }
}
