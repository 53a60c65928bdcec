using System.Collections.Frozen;
using Pure.Engine.Memory;

namespace Pure.Engine.Quantization;

/// <summary>
/// What is known of an element type: name, sizes, how to widen it and, of the types that a cache may have, how to store it. The table below is the only list of types; a new one is its own
/// file, a value of <see cref="ElementType"/>, a line here and a test.
/// </summary>
public sealed unsafe class ElementFormat
{
    private static readonly ElementFormat[] Table =
    [
        From<F32>(&F32.Quantize),
        From<F16>(&F16.Quantize),
        From<BF16>(&BF16.Quantize),
        From<F8_E4M3>(),
        From<F8_E5M2>(),
        From<F8_E4M3_B128>(),
        FromQuantized<Q8_0>(&Q8_0.Quantize),
        FromQuantized<Q4_0>(&Q4_0.Quantize),
        FromQuantized<Q4_1>(),
        FromQuantized<Q5_0>(),
        FromQuantized<Q5_1>(),
        FromQuantized<IQ4_NL>(),
        FromQuantized<MXFP4>(),
        FromQuantized<Q2_K>(),
        FromQuantized<Q3_K>(),
        FromQuantized<Q4_K>(),
        FromQuantized<Q5_K>(),
        FromQuantized<Q6_K>(),
        FromQuantized<IQ4_XS>(),
    ];

    private static readonly FrozenDictionary<ElementType, ElementFormat> ByType = Table.ToFrozenDictionary(format => format.Type);

    private readonly delegate*<byte*, float*, long, void> _dequantize;
    private readonly delegate*<float*, byte*, long, void> _quantize;

    private ElementFormat(
        string name,
        ElementType type,
        int blockSize,
        int blockBytes,
        bool isQuantized,
        delegate*<byte*, float*, long, void> dequantize,
        delegate*<float*, byte*, long, void> quantize)
    {
        Name = name;
        Type = type;
        BlockSize = blockSize;
        BlockBytes = blockBytes;
        IsQuantized = isQuantized;
        _dequantize = dequantize;
        _quantize = quantize;
    }

    /// <summary>All supported types.</summary>
    internal static IReadOnlyList<ElementFormat> All => Table;

    /// <summary>The field's name, such as <c>Q4_K</c>.</summary>
    public string Name { get; }

    /// <summary>The type.</summary>
    public ElementType Type { get; }

    /// <summary>Elements that are stored together; a row is a whole number of blocks.</summary>
    public int BlockSize { get; }

    /// <summary>Bytes of one block.</summary>
    public int BlockBytes { get; }

    /// <summary>Whether 8-bit activations may meet such weights; the others always take float activations.</summary>
    internal bool IsQuantized { get; }

    /// <summary>The format of <paramref name="type"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such type.</exception>
    public static ElementFormat Of(ElementType type) =>
        Find(type) ?? throw new ArgumentOutOfRangeException(nameof(type), type, "Not a supported element type.");

    /// <summary>Bytes of a row of <paramref name="columns"/> elements.</summary>
    /// <exception cref="ArgumentException"><paramref name="columns"/> is no whole number of blocks.</exception>
    public long RowBytes(long columns)
    {
        var (blocks, rest) = Math.DivRem(columns, BlockSize);
        if (rest != 0 || columns < 0)
            throw new ArgumentException($"{columns} elements are no whole number of {Name} blocks of {BlockSize}.", nameof(columns));
        return checked(blocks * BlockBytes);
    }

    /// <summary>Widens the first elements of <paramref name="source"/> until <paramref name="destination"/> is full.</summary>
    /// <exception cref="ArgumentException">
    /// The destination is no whole number of blocks, or longer than the source.
    /// </exception>
    public void Dequantize(NativeView source, Span<float> destination)
    {
        if (RowBytes(destination.Length) > source.Length)
            throw new ArgumentException($"{destination.Length} {Name} elements do not fit {source.Length} bytes.", nameof(destination));
        fixed (float* pointer = destination)
            _dequantize(source.Pointer, pointer, destination.Length);
    }

    /// <summary>Stores all of <paramref name="source"/>; for the types that a cache may have.</summary>
    /// <exception cref="ArgumentException">The source is no whole number of blocks, or the destination is not its size.</exception>
    /// <exception cref="NotSupportedException">Nothing is stored in this type.</exception>
    internal void Quantize(ReadOnlySpan<float> source, Span<byte> destination)
    {
        if (RowBytes(source.Length) != destination.Length)
            throw new ArgumentException($"{source.Length} {Name} elements are not {destination.Length} bytes.", nameof(destination));
        if (_quantize == null)
            throw new NotSupportedException($"Nothing is stored as {Name}.");
        fixed (float* elements = source)
        fixed (byte* bytes = destination)
            _quantize(elements, bytes, source.Length);
    }

    /// <summary>The format of <paramref name="type"/>, null for one that is not supported.</summary>
    internal static ElementFormat? Find(ElementType type) => ByType.GetValueOrDefault(type);

    private static ElementFormat From<T>(delegate*<float*, byte*, long, void> quantize = null)
        where T : IElementFormat =>
        new(T.Type.ToString(), T.Type, T.BlockSize, T.BlockBytes, isQuantized: false, &T.Dequantize, quantize);

    private static ElementFormat FromQuantized<T>(delegate*<float*, byte*, long, void> quantize = null)
        where T : IQuantizedFormat =>
        new(T.Type.ToString(), T.Type, T.BlockSize, T.BlockBytes, isQuantized: true, &T.Dequantize, quantize);
}
