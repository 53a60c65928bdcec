using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>An element type that has a packed form: what <see cref="IPackedFormat"/> says of it, for code that is the same for all.</summary>
internal abstract unsafe class PackedFormat
{
    // A new form is a file with its IPackedFormat, a line here, one in PackedKernel and one in DotKernelEmitter.
    private static readonly PackedFormat[] All =
    [
        new PackedFormat<PackedQ4_0>(),
        new PackedFormat<PackedQ4_1>(),
        new PackedFormat<PackedQ5_0>(),
        new PackedFormat<PackedQ5_1>(),
        new PackedFormat<PackedQ8_0>(),
        new PackedFormat<PackedIQ4_NL>(),
        new PackedFormat<PackedMXFP4>(),
        new PackedFormat<PackedQ2_K>(),
        new PackedFormat<PackedQ3_K>(),
        new PackedFormat<PackedQ4_K>(),
        new PackedFormat<PackedQ5_K>(),
        new PackedFormat<PackedQ6_K>(),
        new PackedFormat<PackedIQ4_XS>(),
    ];

    /// <summary>The greatest number of a type that has a packed form.</summary>
    internal static int LastType { get; } = All.Max(format => (int)format.Type);

    internal abstract ElementType Type { get; }

    /// <summary>Sub-blocks of 32 elements in a block.</summary>
    internal abstract int Units { get; }

    /// <summary>Bytes of a packed block: sixteen rows' worth.</summary>
    internal abstract int BlockBytes { get; }

    /// <summary>The packed form of <paramref name="type"/>, or null.</summary>
    internal static PackedFormat? Find(ElementType type) => Array.Find(All, format => format.Type == type);

    /// <summary>Packs one row's blocks into a group.</summary>
    /// <param name="stored">The row as stored.</param>
    /// <param name="storedBytes">Bytes of a block of it.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <param name="row">Which of the sixteen.</param>
    /// <param name="group">The packed blocks.</param>
    internal abstract void Pack(byte* stored, int storedBytes, int blocks, int row, byte* group);
}

/// <inheritdoc cref="PackedFormat"/>
internal sealed unsafe class PackedFormat<TFormat> : PackedFormat
    where TFormat : struct, IPackedFormat
{
    internal override ElementType Type => TFormat.Type;

    internal override int Units => TFormat.Units;

    internal override int BlockBytes => TFormat.HeaderBytes + (TFormat.Units * TFormat.UnitBytes);

    internal override void Pack(byte* stored, int storedBytes, int blocks, int row, byte* group)
    {
        for (int block = 0; block < blocks; block++, stored += storedBytes, group += BlockBytes)
            TFormat.Pack(stored, row, group);
    }
}
