using System.Runtime.InteropServices;
using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Kernels;

/// <summary>What the kernel tests share: instruction sets, awkward numbers, random weights, comparison to the bit.</summary>
internal static class KernelCases
{
    internal static readonly ElementType[] AllTypes = Enum.GetValues<ElementType>();

    internal static readonly ElementType[] QuantizedTypes =
        [.. AllTypes.Where(type => ElementFormat.Of(type).IsQuantized)];

    /// <summary>
    /// The kernels of <paramref name="isa"/>; the test is skipped where the processor lacks it. "128-bit" is NEON's C#, which runs anywhere.
    /// </summary>
    internal static KernelSet Require(string isa, bool emit = true)
    {
        if (isa == "128-bit")
            return new VectorKernels<Lanes128, Rows128>(Isa.Neon, emits: false);
        Isa wish = Enum.GetValues<Isa>().Single(value => KernelSet.Name(value) == isa);
        if (!KernelSet.Supported.Contains(wish))
            Assert.Skip($"{isa} is not available in this process, which has {string.Join(", ", KernelSet.Supported.Select(KernelSet.Name))}.");
        KernelSet kernels = KernelSet.Select(wish, emit);
        Assert.Equal(wish, kernels.Isa);
        return kernels;
    }

    internal static float NextNormal(this Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    /// <summary>Mostly ordinary numbers; some zeros of both signs, denormals, and large ones whose products still fit.</summary>
    internal static float NextAwkward(this Random random) => random.Next(12) switch
    {
        0 => 0f,
        1 => -0f,
        2 => BitConverter.Int32BitsToSingle(random.Next(1 << 23)),
        3 => -BitConverter.Int32BitsToSingle(random.Next(1 << 23)),
        4 => random.NextNormal() * 1e18f,
        5 => random.NextNormal() * 1e-20f,
        _ => random.NextNormal(),
    };

    internal static void FillAwkward(this Random random, Span<float> target)
    {
        foreach (ref float value in target)
            value = random.NextAwkward();
    }

    /// <summary>A matrix of random codes with scales near one over the largest code, so that elements are near one.</summary>
    internal static GuardedMemory<byte> RandomWeights(this Random random, ElementType type, int rows, int columns)
    {
        ElementFormat format = ElementFormat.Of(type);
        var memory = new GuardedMemory<byte>((int)format.RowBytes(columns) * rows);
        random.NextBytes(memory.Span);
        Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(memory.Span);
        for (int block = 0; block < memory.Length / format.BlockBytes; block++)
        {
            Span<byte> bytes = memory.Span.Slice(block * format.BlockBytes, format.BlockBytes);
            switch (type)
            {
                case ElementType.F32:
                    MemoryMarshal.Write(bytes, random.NextAwkward());
                    break;
                case ElementType.F16:
                    MemoryMarshal.Write(bytes, random.Next(8) == 0 ? (Half)(random.NextNormal() * 1e-6f) : (Half)random.NextNormal());
                    break;
                case ElementType.BF16:
                    halves[block] = (ushort)(BitConverter.SingleToInt32Bits(random.NextAwkward()) >> 16);
                    break;
                case ElementType.Q8_0:
                    MemoryMarshal.Write(bytes, (Half)(random.NextNormal() / 127));
                    break;
                case ElementType.F8_E4M3:
                    bytes[0] = WithoutNaN(bytes[0], 0x7F);
                    break;
                case ElementType.F8_E5M2:
                    bytes[0] = WithoutNaN(bytes[0], 0x7C);
                    break;
                case ElementType.F8_E4M3_B128:
                    foreach (ref byte value in bytes)
                        value = WithoutNaN(value, 0x7F);
                    MemoryMarshal.Write(bytes, random.NextAwkward() / 256);
                    break;
                case ElementType.Q4_0:
                case ElementType.Q5_0:
                case ElementType.IQ4_NL:
                    MemoryMarshal.Write(bytes, (Half)(random.NextNormal() / 8));
                    break;
                case ElementType.Q4_1:
                case ElementType.Q5_1:
                    MemoryMarshal.Write(bytes, (Half)(random.NextNormal() / 8));
                    MemoryMarshal.Write(bytes[2..], (Half)random.NextNormal());
                    break;
                case ElementType.MXFP4:
                    bytes[0] = (byte)random.Next(118, 130);
                    break;
                case ElementType.Q2_K:
                    MemoryMarshal.Write(bytes[80..], (Half)(random.NextNormal() / 40));
                    MemoryMarshal.Write(bytes[82..], (Half)(random.NextNormal() / 15));
                    break;
                case ElementType.Q3_K:
                    MemoryMarshal.Write(bytes[108..], (Half)(random.NextNormal() / 100));
                    break;
                case ElementType.Q5_K:
                    MemoryMarshal.Write(bytes, (Half)(random.NextNormal() / 1800));
                    MemoryMarshal.Write(bytes[2..], (Half)(random.NextNormal() / 60));
                    break;
                case ElementType.IQ4_XS:
                    MemoryMarshal.Write(bytes, (Half)(random.NextNormal() / 3000));
                    break;
                case ElementType.Q4_K:
                    MemoryMarshal.Write(bytes, (Half)(random.NextNormal() / 900));
                    MemoryMarshal.Write(bytes[2..], (Half)(random.NextNormal() / 60));
                    break;
                case ElementType.Q6_K:
                    MemoryMarshal.Write(bytes[208..], (Half)(random.NextNormal() / 4000));
                    break;
                default:
                    Assert.Fail($"No random weights for {type}.");
                    break;
            }
        }

        return memory;
    }

    /// <summary>The byte, or zero where the bits of <paramref name="special"/> are all set: NaN, and infinity if there is one.</summary>
    private static byte WithoutNaN(byte value, byte special) => (value & special) == special ? (byte)0 : value;

    internal static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (float.IsNaN(expected[i]) ? !float.IsNaN(actual[i]) : BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
                Assert.Fail($"{what}: element {i} is {actual[i]:R} where the definition gives {expected[i]:R}.");
        }
    }
}
