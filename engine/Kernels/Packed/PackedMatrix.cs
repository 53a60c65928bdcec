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
    private readonly int _blockBytes;

    /// <summary>Makes room; <see cref="Pack"/> fills it.</summary>
    internal PackedMatrix(in WeightMatrix source)
    {
        _source = source;
        _blockBytes = BlockBytes(source.Type);
        Blocks = source.Columns / (Units(source.Type) * Activations.BlockSize);
        Groups = (source.Rows + GroupRows - 1) / GroupRows;
        _data = new AlignedBuffer<byte>(Groups * GroupBytes);
    }

    /// <summary>Whether matrices of this type have a packed form.</summary>
    internal static bool Has(ElementType type) =>
        type is ElementType.Q4_0 or ElementType.Q5_0 or ElementType.Q8_0 or ElementType.Q4_K or ElementType.Q6_K;

    /// <summary>Sub-blocks of 32 elements in a block of a type that has a packed form.</summary>
    internal static int Units(ElementType type) => Shape(type).Units;

    /// <summary>Bytes of a packed block: sixteen rows' worth.</summary>
    internal static int BlockBytes(ElementType type) => Shape(type).BlockBytes;

    internal ElementType Type => _source.Type;

    internal int Rows => _source.Rows;

    internal int Columns => _source.Columns;

    /// <summary>Groups of sixteen rows.</summary>
    internal int Groups { get; }

    /// <summary>Blocks of a row, as the type stores them: of 32 or 256 elements.</summary>
    internal int Blocks { get; }

    internal long GroupBytes => (long)Blocks * _blockBytes;

    internal byte* Group(int group) => _data.Pointer + (group * GroupBytes);

    /// <summary>Packs groups <paramref name="begin"/> to <paramref name="end"/> - 1. Different groups may be packed by different threads.</summary>
    internal void Pack(int begin, int end)
    {
        switch (Type)
        {
            case ElementType.Q4_0: Pack<PackedQ4_0>(begin, end); break;
            case ElementType.Q5_0: Pack<PackedQ5_0>(begin, end); break;
            case ElementType.Q8_0: Pack<PackedQ8_0>(begin, end); break;
            case ElementType.Q4_K: Pack<PackedQ4_K>(begin, end); break;
            default: Pack<PackedQ6_K>(begin, end); break;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _data.Dispose();

    private static (int Units, int BlockBytes) Shape(ElementType type) => type switch
    {
        ElementType.Q4_0 => Shape<PackedQ4_0>(),
        ElementType.Q5_0 => Shape<PackedQ5_0>(),
        ElementType.Q8_0 => Shape<PackedQ8_0>(),
        ElementType.Q4_K => Shape<PackedQ4_K>(),
        ElementType.Q6_K => Shape<PackedQ6_K>(),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "There is no packed form of this element type."),
    };

    private static (int Units, int BlockBytes) Shape<TFormat>()
        where TFormat : struct, IPackedFormat =>
        (TFormat.Units, TFormat.HeaderBytes + (TFormat.Units * TFormat.UnitBytes));

    private void Pack<TFormat>(int begin, int end)
        where TFormat : struct, IPackedFormat
    {
        int storedBytes = (int)(_source.RowBytes / Blocks);
        for (int group = begin; group < end; group++)
        {
            int rows = Math.Min(GroupRows, Rows - (group * GroupRows));
            byte* first = _source.Data.Pointer + (group * GroupRows * _source.RowBytes);
            for (int block = 0; block < Blocks; block++)
            {
                byte* target = Group(group) + ((long)block * _blockBytes);
                for (int row = 0; row < rows; row++)
                    TFormat.Pack(first + (row * _source.RowBytes) + ((long)block * storedBytes), row, target);
            }
        }
    }
}
