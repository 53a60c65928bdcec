using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>Eight weights as floats.</summary>
internal readonly struct Floats8(Four low, Four high)
{
    internal readonly Four Low = low;
    internal readonly Four High = high;

    /// <summary>Times eight activations.</summary>
    internal float Dot(InputView input, long eight)
    {
        Four a = input.Values[eight * 2];
        Four b = input.Values[(eight * 2) + 1];
        return (Low.X * a.X) + (Low.Y * a.Y) + (Low.Z * a.Z) + (Low.W * a.W)
            + ((High.X * b.X) + (High.Y * b.Y) + (High.Z * b.Z) + (High.W * b.W));
    }
}

/// <summary>How weights that are floats lie in <see cref="WeightView.Codes"/>.</summary>
internal interface IFloatWeights
{
    /// <summary>The eight from element 8 · <paramref name="eight"/> of the matrix on.</summary>
    Floats8 Load(WeightView weights, long eight);
}

/// <summary>Such weights whose ten bits of fraction, or fewer, the tensor cores read whole (<see cref="IFloatTensorCores"/>).</summary>
internal interface IShortFloatWeights : IFloatWeights
{
    /// <summary>The two from element 2 · <paramref name="two"/> of the matrix on.</summary>
    Two LoadTwo(WeightView weights, long two);
}

/// <summary>32 bits each.</summary>
internal readonly struct Float32 : IFloatWeights
{
    public Floats8 Load(WeightView weights, long eight) => new(Of(weights.Codes[eight * 2]), Of(weights.Codes[(eight * 2) + 1]));

    private static Four Of(Quad bits) => new(
        Interop.IntAsFloat((uint)bits.X), Interop.IntAsFloat((uint)bits.Y), Interop.IntAsFloat((uint)bits.Z), Interop.IntAsFloat((uint)bits.W));
}

/// <summary>16 bits each, IEEE.</summary>
internal readonly struct Float16 : IShortFloatWeights
{
    public Floats8 Load(WeightView weights, long eight)
    {
        Quad bits = weights.Codes[eight];
        return new(new(Low(bits.X), High(bits.X), Low(bits.Y), High(bits.Y)), new(Low(bits.Z), High(bits.Z), Low(bits.W), High(bits.W)));
    }

    public Two LoadTwo(WeightView weights, long two)
    {
        int bits = weights.Codes.Cast<int>()[two];
        return new(Low(bits), High(bits));
    }

    private static float Low(int bits) => Halves.Widen((ushort)bits);

    private static float High(int bits) => Halves.Widen((ushort)(bits >>> 16));
}

/// <summary>The upper 16 bits of a float each.</summary>
internal readonly struct BrainFloat16 : IShortFloatWeights
{
    public Floats8 Load(WeightView weights, long eight)
    {
        Quad bits = weights.Codes[eight];
        return new(new(Low(bits.X), High(bits.X), Low(bits.Y), High(bits.Y)), new(Low(bits.Z), High(bits.Z), Low(bits.W), High(bits.W)));
    }

    public Two LoadTwo(WeightView weights, long two)
    {
        int bits = weights.Codes.Cast<int>()[two];
        return new(Low(bits), High(bits));
    }

    private static float Low(int bits) => Interop.IntAsFloat((uint)bits << 16);

    private static float High(int bits) => Interop.IntAsFloat((uint)bits & 0xFFFF_0000);
}
