using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Kernels;
using Pure.Engine.Quantization;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>
/// Weights <c>[rows, columns]</c> in the device's memory, or those of all experts of a layer, one after the other. Files keep a block's
/// scale beside its codes, which makes blocks of 17, 18 or 34 bytes; here each has its own array, so that the lanes of a warp read 16 bytes
/// each, side by side:
/// <code>
/// Codes   [rows, columns / 32, 1, 2, 4 or 8] × 16 bytes   4, 8, 16 or 32 bits of a weight
/// High    [rows, columns / 32]  × 8 bytes                 two further bits of a weight (Q6_K)
/// Scales  [rows, columns / 32]  × 2 bytes                 a half, or what multiplies the super-block's
/// Supers  [rows, columns / 256] × 4 bytes                 two halves of a super-block (Q4_K, Q6_K)
/// </code>
/// What the bits of each are is said by BlockCodes and BlockScales in Kernels.
/// </summary>
internal sealed class DeviceMatrix : IDisposable
{
    /// <summary>Bytes that are read, taken apart and sent at a time.</summary>
    private const int StagingBytes = 8 << 20;

    private readonly DeviceFormat _format;
    private readonly MemoryBuffer1D<Quad, Stride1D.Dense> _codes;
    private readonly MemoryBuffer1D<Pair, Stride1D.Dense> _high;
    private readonly MemoryBuffer1D<ushort, Stride1D.Dense> _scales;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _supers;

    private DeviceMatrix(GpuQueue queue, DeviceFormat format, ElementType type, int rows, int columns)
    {
        _format = format;
        Type = type;
        Rows = rows;
        Columns = columns;
        long blocks = (long)rows * (columns / DeviceFormat.BlockSize);
        _codes = queue.Allocate<Quad>(blocks * format.Quads);
        _high = queue.Allocate<Pair>(format.HasHigh ? blocks : 0);
        _scales = queue.Allocate<ushort>(format.HasScales ? blocks : 0);
        _supers = queue.Allocate<int>(format.BlocksOfSuper == 0 ? 0 : blocks / format.BlocksOfSuper);
    }

    internal ElementType Type { get; }

    /// <summary>Rows of all experts.</summary>
    internal int Rows { get; }

    internal int Columns { get; }

    /// <summary>Bytes that its arrays take, without those that the format lacks.</summary>
    internal long LengthInBytes =>
        _codes.LengthInBytes
        + (_format.HasHigh ? _high.LengthInBytes : 0)
        + (_format.HasScales ? _scales.LengthInBytes : 0)
        + (_format.BlocksOfSuper > 0 ? _supers.LengthInBytes : 0);

    internal WeightView View => new(_codes.View, _high.View, _scales.View, _supers.View);

    /// <summary>Whether products of weights of this type and length are made on the device.</summary>
    internal static bool Has(ElementType type, int columns) =>
        DeviceFormat.Find(type) is not null && columns % DeviceFormat.BlockSize == 0 && columns % ElementFormat.Of(type).BlockSize == 0;

    /// <summary>Bytes that <paramref name="rows"/> rows take on the device.</summary>
    internal static long Bytes(ElementType type, long rows, int columns) => Format(type, columns).Bytes(rows * (columns / DeviceFormat.BlockSize));

    /// <summary>Sends one matrix, or as many of one shape as a layer has experts, in their order.</summary>
    /// <exception cref="ArgumentException">They differ in type or shape, or the device has no such type (<see cref="Has"/>).</exception>
    internal static DeviceMatrix Upload(GpuQueue queue, params ReadOnlySpan<WeightMatrix> matrices)
    {
        WeightMatrix first = matrices[0];
        foreach (WeightMatrix matrix in matrices)
        {
            if (matrix.Type != first.Type || matrix.Rows != first.Rows || matrix.Columns != first.Columns)
            {
                throw new ArgumentException(
                    $"Experts are alike: one is {matrix.Type} [{matrix.Rows}, {matrix.Columns}], another {first.Type} [{first.Rows}, {first.Columns}].",
                    nameof(matrices));
            }
        }

        DeviceFormat format = Format(first.Type, first.Columns);
        var target = new DeviceMatrix(queue, format, first.Type, checked(first.Rows * matrices.Length), first.Columns);
        try
        {
            target.Fill(queue, format, matrices);
            return target;
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _codes.Dispose();
        _high.Dispose();
        _scales.Dispose();
        _supers.Dispose();
    }

    private static DeviceFormat Format(ElementType type, int columns) => Has(type, columns)
        ? DeviceFormat.Find(type)!
        : throw new ArgumentException($"There is no product on the device of {type} weights with {columns} columns.", nameof(type));

    private void Fill(GpuQueue queue, DeviceFormat format, ReadOnlySpan<WeightMatrix> matrices)
    {
        int rowBytes = checked((int)ElementFormat.Of(Type).RowBytes(Columns));
        int blocks = Columns / DeviceFormat.BlockSize;
        int rowsAtOnce = (int)Math.Clamp(StagingBytes / matrices[0].RowBytes, 1, matrices[0].Rows);
        var stored = new byte[checked(rowsAtOnce * rowBytes)];
        var staging = new Staging(format, rowsAtOnce, blocks);
        long row = 0;
        foreach (WeightMatrix matrix in matrices)
        {
            for (int done = 0; done < matrix.Rows; done += rowsAtOnce)
            {
                int rows = Math.Min(rowsAtOnce, matrix.Rows - done);
                Read(matrix, done, rows, stored, rowBytes);
                Parallel.For(0, rows, i => format.Pack(stored.AsSpan(i * rowBytes, rowBytes), staging.Row(i)));
                staging.Send(queue, this, row, rows);
                row += rows;
            }
        }
    }

    private static void Read(in WeightMatrix matrix, int first, int rows, byte[] target, int rowBytes)
    {
        if (matrix.RowBytes == rowBytes)
        {
            matrix.Data.Read((long)first * rowBytes, target.AsSpan(0, rows * rowBytes));
            return;
        }

        for (int row = 0; row < rows; row++)
            matrix.Data.Read((first + row) * matrix.RowBytes, target.AsSpan(row * rowBytes, rowBytes));
    }

    /// <summary>The arrays of some rows, on the way to the device.</summary>
    private sealed class Staging(DeviceFormat format, int rows, int blocks)
    {
        private readonly int _quads = blocks * format.Quads;
        private readonly int _highs = format.HasHigh ? blocks : 0;
        private readonly int _scalars = format.HasScales ? blocks : 0;
        private readonly int _supers = format.BlocksOfSuper == 0 ? 0 : blocks / format.BlocksOfSuper;
        private readonly Quad[] _codes = new Quad[checked(rows * blocks * format.Quads)];
        private readonly Pair[] _high = new Pair[format.HasHigh ? rows * blocks : 0];
        private readonly ushort[] _scales = new ushort[format.HasScales ? rows * blocks : 0];
        private readonly int[] _superScales = new int[format.BlocksOfSuper == 0 ? 0 : rows * (blocks / format.BlocksOfSuper)];

        internal PackedRow Row(int row) => new()
        {
            Codes = _codes.AsSpan(row * _quads, _quads),
            High = _high.AsSpan(row * _highs, _highs),
            Scales = _scales.AsSpan(row * _scalars, _scalars),
            Supers = _superScales.AsSpan(row * _supers, _supers),
        };

        internal void Send(GpuQueue queue, DeviceMatrix target, long first, int count)
        {
            Send(queue, _codes, target._codes, first, count, _quads);
            Send(queue, _high, target._high, first, count, _highs);
            Send(queue, _scales, target._scales, first, count, _scalars);
            Send(queue, _superScales, target._supers, first, count, _supers);
        }

        private static void Send<T>(
            GpuQueue queue, T[] source, MemoryBuffer1D<T, Stride1D.Dense> target, long first, int count, int ofRow)
            where T : unmanaged
        {
            if (ofRow > 0)
                queue.Upload(source.AsSpan(0, count * ofRow), target.View.SubView(first * ofRow, (long)count * ofRow));
        }
    }
}
