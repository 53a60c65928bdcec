using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// A quantised matrix <c>[rows, columns]</c> with its rows side by side in groups of sixteen: <c>[groups, blocks]</c> of what
/// <see cref="IPackedFormat"/> draws. Rows that fill up the last group are zeros.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>Rows of a group.</summary>
    internal const int GroupRows = 16;

    private readonly AlignedBuffer<byte> _data;
    private readonly WeightMatrix _source;

    /// <summary>Makes room; <see cref="Pack"/> fills it.</summary>
    internal PackedMatrix(in WeightMatrix source)
    {
        _source = source;
        Format = PackedFormat.Find(source.Type)
            ?? throw new ArgumentOutOfRangeException(nameof(source), source.Type, "There is no packed form of this element type.");
        Blocks = source.Columns / (Format.Units * Activations.BlockSize);
        Groups = (source.Rows + GroupRows - 1) / GroupRows;
        _data = new AlignedBuffer<byte>(Groups * GroupBytes);
    }

    /// <summary>Whether matrices of this type have a packed form.</summary>
    internal static bool Has(ElementType type) => PackedFormat.Find(type) is not null;

    internal PackedFormat Format { get; }

    internal int Rows => _source.Rows;

    internal int Columns => _source.Columns;

    /// <summary>Groups of sixteen rows.</summary>
    internal int Groups { get; }

    /// <summary>Blocks of a row, as the type stores them: of 32 or 256 elements.</summary>
    internal int Blocks { get; }

    internal long GroupBytes => (long)Blocks * Format.BlockBytes;

    internal byte* Group(int group) => _data.Pointer + (group * GroupBytes);

    /// <summary>Packs groups <paramref name="begin"/> to <paramref name="end"/> - 1. Different groups may be packed by different threads.</summary>
    internal void Pack(int begin, int end)
    {
        int storedBytes = (int)(_source.RowBytes / Blocks);
        for (int group = begin; group < end; group++)
        {
            int rows = Math.Min(GroupRows, Rows - (group * GroupRows));
            byte* first = _source.Data.Pointer + (group * GroupRows * _source.RowBytes);
            for (int row = 0; row < rows; row++)
                Format.Pack(first + (row * _source.RowBytes), storedBytes, Blocks, row, Group(group));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _data.Dispose();
}
