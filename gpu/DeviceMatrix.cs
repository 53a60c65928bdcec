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
    private Loader? _replacing;

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
            var loader = new Loader(format, first);
            for (int expert = 0; expert < matrices.Length; expert++)
                loader.Send(queue, matrices[expert], target, (long)expert * first.Rows);
            return target;
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }

    /// <summary>Room for <paramref name="count"/> matrices like one, which <see cref="Replace"/> fills.</summary>
    /// <exception cref="ArgumentException">The device has no such type (<see cref="Has"/>).</exception>
    internal static DeviceMatrix Reserve(GpuQueue queue, WeightMatrix like, int count) =>
        new(queue, Format(like.Type, like.Columns), like.Type, checked(like.Rows * count), like.Columns);

    /// <summary>Puts a matrix where that of an expert lies.</summary>
    /// <exception cref="ArgumentException">It is not like those there.</exception>
    internal void Replace(GpuQueue queue, int expert, WeightMatrix matrix)
    {
        if (matrix.Type != Type || matrix.Columns != Columns || Rows % matrix.Rows != 0)
        {
            throw new ArgumentException(
                $"A matrix of {matrix.Type} [{matrix.Rows}, {matrix.Columns}] has no place among {Type} [{Rows}, {Columns}].", nameof(matrix));
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)expert, (uint)(Rows / matrix.Rows), nameof(expert));
        _replacing ??= new Loader(_format, matrix);
        _replacing.Send(queue, matrix, this, (long)expert * matrix.Rows);
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

    /// <summary>Takes matrices of one shape apart, some rows at a time, and sends them.</summary>
    private sealed class Loader
    {
        private readonly DeviceFormat _format;
        private readonly int _rowsAtOnce;
        private readonly int _rowBytes;
        private readonly byte[] _stored;
        private readonly Staging _staging;

        internal Loader(DeviceFormat format, in WeightMatrix like)
        {
            _format = format;
            _rowBytes = checked((int)ElementFormat.Of(like.Type).RowBytes(like.Columns));
            _rowsAtOnce = (int)Math.Clamp(StagingBytes / like.RowBytes, 1, like.Rows);
            _stored = new byte[checked(_rowsAtOnce * _rowBytes)];
            _staging = new Staging(format, _rowsAtOnce, like.Columns / DeviceFormat.BlockSize);
        }

        internal void Send(GpuQueue queue, in WeightMatrix matrix, DeviceMatrix target, long row)
        {
            for (int done = 0; done < matrix.Rows; done += _rowsAtOnce)
            {
                int rows = Math.Min(_rowsAtOnce, matrix.Rows - done);
                Read(matrix, done, rows);
                Parallel.For(0, rows, i => _format.Pack(_stored.AsSpan(i * _rowBytes, _rowBytes), _staging.Row(i)));
                _staging.Send(queue, target, row + done, rows);
            }
        }

        private void Read(in WeightMatrix matrix, int first, int rows)
        {
            if (matrix.RowBytes == _rowBytes)
            {
                matrix.Data.Read((long)first * _rowBytes, _stored.AsSpan(0, rows * _rowBytes));
                return;
            }

            for (int row = 0; row < rows; row++)
                matrix.Data.Read((first + row) * matrix.RowBytes, _stored.AsSpan(row * _rowBytes, _rowBytes));
        }
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
