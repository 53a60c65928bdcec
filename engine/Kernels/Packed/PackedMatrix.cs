using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// A quantised matrix <c>[rows, columns]</c> with its rows side by side in groups of sixteen: <c>[groups, blocks]</c> of what
/// <see cref="IPackedFormat"/> draws. Rows that fill up the last group are zeros.
/// </summary>
internal sealed unsafe class PackedMatrix
{
    /// <summary>Rows of a group.</summary>
    internal const int GroupRows = 16;

    private readonly WeightMatrix _source;

    /// <param name="source">What is packed.</param>
    /// <param name="room">
    /// At least <see cref="Bytes"/>, which <see cref="Pack(int, int)"/> fills; empty where <see cref="Place"/> will lend it.
    /// </param>
    internal PackedMatrix(in WeightMatrix source, NativeView room)
    {
        _source = source;
        Format = PackedFormat.Find(source.Type)
            ?? throw new ArgumentOutOfRangeException(nameof(source), source.Type, "There is no packed form of this element type.");
        Blocks = source.Columns / (Format.Units * Activations.BlockSize);
        Groups = (source.Rows + GroupRows - 1) / GroupRows;
        View = room;
    }

    /// <summary>Bytes of the packed form; 0 where the type has none.</summary>
    internal static long Bytes(in WeightMatrix source) => BytesOf(source.Type, source.Rows, source.Columns);

    /// <summary>Whether matrices of this type have a packed form.</summary>
    internal static bool Has(ElementType type) => PackedFormat.Find(type) is not null;

    /// <summary>Bytes of the packed form of <paramref name="rows"/> rows; 0 where the type has none.</summary>
    internal static long BytesOf(ElementType type, long rows, long columns) => PackedFormat.Find(type) is { } format
        ? (rows + GroupRows - 1) / GroupRows * (columns / (format.Units * Activations.BlockSize)) * format.BlockBytes
        : 0;

    internal PackedFormat Format { get; }

    /// <summary>The packed rows.</summary>
    internal NativeView View { get; private set; }

    internal int Rows => _source.Rows;

    internal int Columns => _source.Columns;

    /// <summary>Groups of sixteen rows.</summary>
    internal int Groups { get; }

    /// <summary>Blocks of a row, as the type stores them: of 32 or 256 elements.</summary>
    internal int Blocks { get; }

    internal long GroupBytes => (long)Blocks * Format.BlockBytes;

    internal byte* Group(int group) => View.Pointer + (group * GroupBytes);

    /// <summary>Packs groups <paramref name="begin"/> to <paramref name="end"/> - 1. Different groups may be packed by different threads.</summary>
    internal void Pack(int begin, int end) => Pack(_source.Data.Pointer + (begin * GroupRows * _source.RowBytes), begin, end);

    /// <summary>Lends room of at least <see cref="Bytes"/>, whose content is what the matrix now is.</summary>
    internal void Place(NativeView room)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(room.Length, Groups * GroupBytes);
        View = room;
    }

    /// <summary>Packs groups from <paramref name="begin"/> on, given a copy of their rows as stored.</summary>
    /// <returns>The first group that <paramref name="rows"/> does not hold.</returns>
    internal int Pack(ReadOnlySpan<byte> rows, int begin)
    {
        int end = begin + (int)(((rows.Length / _source.RowBytes) + GroupRows - 1) / GroupRows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, Groups, nameof(rows));
        fixed (byte* first = rows)
            Pack(first, begin, end);
        return end;
    }

    private void Pack(byte* stored, int begin, int end)
    {
        int storedBytes = (int)(_source.RowBytes / Blocks);
        for (int group = begin; group < end; group++)
        {
            int rows = Math.Min(GroupRows, Rows - (group * GroupRows));
            byte* first = stored + ((group - begin) * GroupRows * _source.RowBytes);
            for (int row = 0; row < rows; row++)
                Format.Pack(first + (row * _source.RowBytes), storedBytes, Blocks, row, Group(group));
        }
    }
}
