using System.Collections.Frozen;
using Pure.Engine.Quantization;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>How an element type lies on the device: how much of each array a block of 32 weights takes, and how a row is taken apart.</summary>
/// <param name="Quads">16-byte pieces of codes of a block.</param>
/// <param name="HasHigh">Whether a block has 8 bytes of further bits.</param>
/// <param name="HasScales">Whether a block has 16 bits of scale.</param>
/// <param name="BlocksOfSuper">Blocks that share 32 bits of scale; 0 for none.</param>
/// <param name="Pack">Takes a row apart.</param>
internal sealed record DeviceFormat(int Quads, bool HasHigh, bool HasScales, int BlocksOfSuper, DeviceFormat.RowPacker Pack)
{
    /// <summary>Columns of a block.</summary>
    internal const int BlockSize = 32;

    private static readonly FrozenDictionary<ElementType, DeviceFormat> ByType = new Dictionary<ElementType, DeviceFormat>
    {
        [ElementType.F32] = new(8, false, false, 0, RowPackers.Copy),
        [ElementType.F16] = new(4, false, false, 0, RowPackers.Copy),
        [ElementType.BF16] = new(4, false, false, 0, RowPackers.Copy),
        [ElementType.Q8_0] = new(2, false, true, 0, RowPackers.Q8_0),
        [ElementType.Q4_0] = new(1, false, true, 0, RowPackers.Q4_0),
        [ElementType.Q5_0] = new(2, false, true, 0, RowPackers.Q5_0),
        [ElementType.IQ4_NL] = new(1, false, true, 0, RowPackers.IQ4_NL),
        [ElementType.MXFP4] = new(1, false, true, 0, RowPackers.MXFP4),
        [ElementType.Q4_K] = new(1, false, true, 8, RowPackers.Q4_K),
        [ElementType.Q5_K] = new(2, false, true, 8, RowPackers.Q5_K),
        [ElementType.Q6_K] = new(1, true, true, 8, RowPackers.Q6_K),
    }.ToFrozenDictionary();

    internal delegate void RowPacker(ReadOnlySpan<byte> row, PackedRow to);

    /// <summary>The format of <paramref name="type"/>, null where the device has none.</summary>
    internal static DeviceFormat? Find(ElementType type) => ByType.GetValueOrDefault(type);

    /// <summary>Bytes of <paramref name="blocks"/> blocks, whole super-blocks.</summary>
    internal long Bytes(long blocks) =>
        (blocks * ((Quads * 16) + (HasHigh ? 8 : 0) + (HasScales ? 2 : 0))) + (BlocksOfSuper == 0 ? 0 : blocks / BlocksOfSuper * 4);
}

/// <summary>Where a row's parts go; those that the format lacks are empty.</summary>
internal readonly ref struct PackedRow
{
    internal required Span<Quad> Codes { get; init; }

    internal required Span<Pair> High { get; init; }

    internal required Span<ushort> Scales { get; init; }

    internal required Span<int> Supers { get; init; }
}
