using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>How floats are stored in words of 32 bits: of cached keys and values, and of matrices.</summary>
internal interface IStoredFloats
{
    /// <summary>Words of <paramref name="elements"/> elements, a multiple of eight.</summary>
    long Words(long elements);

    /// <summary>Eight elements from word <paramref name="word"/> on, a multiple of four.</summary>
    Float8 Load8(ArrayView<uint> words, long word);

    /// <summary>Elements 2 · <paramref name="pair"/> and 2 · <paramref name="pair"/> + 1 of those that begin at word <paramref name="word"/>.</summary>
    Float2 Load2(ArrayView<uint> words, long word, int pair);

    /// <summary>Stores them, each rounded to the nearest, ties to even.</summary>
    void Store2(ArrayView<uint> words, long word, int pair, float x, float y);
}

/// <summary>IEEE half precision, two to a word, the first in the lower half.</summary>
internal struct StoredF16 : IStoredFloats
{
    public readonly long Words(long elements) => elements / 2;

    public readonly Float8 Load8(ArrayView<uint> words, long word)
    {
        Quad four = words.Cast<Quad>()[word / 4];
        return new Float8
        {
            A = Low(four.X),
            B = High(four.X),
            C = Low(four.Y),
            D = High(four.Y),
            E = Low(four.Z),
            F = High(four.Z),
            G = Low(four.W),
            H = High(four.W),
        };
    }

    public readonly Float2 Load2(ArrayView<uint> words, long word, int pair)
    {
        int both = (int)words[word + pair];
        return new Float2 { X = Low(both), Y = High(both) };
    }

    public readonly void Store2(ArrayView<uint> words, long word, int pair, float x, float y) =>
        words[word + pair] = Bits(x) | (Bits(y) << 16);

    /// <summary>
    /// The nearest half, ties to even, as an integer. ILGPU's own conversion rounds on CUDA and cuts off on the CPU.
    /// </summary>
    internal static uint Bits(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        uint size = bits & 0x7FFFFFFF;

        // Below 2^-14 halves are multiples of 2^-24: adding 1/2, whose last place that is, rounds to them.
        uint small = Interop.FloatAsInt(Interop.IntAsFloat(size) + 0.5f) - 0x3F000000;

        // Above, 13 bits are rounded off, and the exponent is 112 less.
        uint normal = (size + 0xFFF + ((size >> 13) & 1) - (112u << 23)) >> 13;

        // From 65520 on all is infinity, but for what is no number.
        uint large = size > 0x7F800000 ? 0x7E00u : 0x7C00u;
        uint half = size < 0x38800000 ? small : normal;
        half = size >= 0x477FF000 ? large : half;
        return half | ((bits >> 16) & 0x8000);
    }

    private static float Low(int word) => Interop.IntAsFloat((ushort)word);

    private static float High(int word) => Interop.IntAsFloat((ushort)(word >> 16));
}

/// <summary>Single precision, an element to a word.</summary>
internal struct StoredF32 : IStoredFloats
{
    public readonly long Words(long elements) => elements;

    public readonly Float8 Load8(ArrayView<uint> words, long word)
    {
        ArrayView<Quad> fours = words.Cast<Quad>();
        Quad low = fours[word / 4];
        Quad high = fours[(word / 4) + 1];
        return new Float8
        {
            A = Interop.IntAsFloat((uint)low.X),
            B = Interop.IntAsFloat((uint)low.Y),
            C = Interop.IntAsFloat((uint)low.Z),
            D = Interop.IntAsFloat((uint)low.W),
            E = Interop.IntAsFloat((uint)high.X),
            F = Interop.IntAsFloat((uint)high.Y),
            G = Interop.IntAsFloat((uint)high.Z),
            H = Interop.IntAsFloat((uint)high.W),
        };
    }

    public readonly Float2 Load2(ArrayView<uint> words, long word, int pair) => new()
    {
        X = Interop.IntAsFloat(words[word + (2 * pair)]),
        Y = Interop.IntAsFloat(words[word + (2 * pair) + 1]),
    };

    public readonly void Store2(ArrayView<uint> words, long word, int pair, float x, float y)
    {
        words[word + (2 * pair)] = Interop.FloatAsInt(x);
        words[word + (2 * pair) + 1] = Interop.FloatAsInt(y);
    }
}
