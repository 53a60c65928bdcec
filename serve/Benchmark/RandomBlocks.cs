using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Pure.Engine.Quantization;

namespace Pure.Serve.Benchmark;

/// <summary>
/// Random weights as they are stored. Quants and sub-scales are random bits; the floats among them are then overwritten with scales
/// that give the elements the deviation asked for and a mean near zero.
/// </summary>
/// <remarks>
/// The bits are a function of key and place alone: SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
/// generators") of a counter.
/// </remarks>
internal sealed class RandomBlocks
{
    // The sum of four random bytes: nearly normal, and few enough values for a table.
    private const int Sums = (4 * 255) + 1;
    private const double SumMean = 4 * 127.5;
    private const double SumDeviation = 147.8; // √(4 · (256² - 1) / 12)

    // Scales run from once to twice the smallest; the root of their mean square is √(7/3) of it.
    private const double ScaleSpread = 1.5275;

    private readonly ElementType _type;
    private readonly int _blockBytes;
    private readonly float _scale;
    private readonly float[] _normal = [];

    internal RandomBlocks(ElementType type, double deviation)
    {
        _type = type;
        _blockBytes = ElementFormat.Of(type).BlockBytes;
        if (type is ElementType.F32 or ElementType.F16 or ElementType.BF16)
        {
            _normal = new float[Sums];
            for (int sum = 0; sum < Sums; sum++)
                _normal[sum] = (float)((sum - SumMean) / SumDeviation * deviation);
        }
        else
        {
            _scale = (float)(deviation / DeviationOfUnit(type) / ScaleSpread);
        }
    }

    /// <summary>A number that looks unlike those of other seeds and names.</summary>
    internal static ulong Key(ulong seed, string name)
    {
        ulong key = Mix(seed);
        foreach (char letter in name)
            key = Mix(key ^ letter);
        return key;
    }

    /// <summary>Mixes a further number into a key.</summary>
    internal static ulong Key(ulong key, long part) => Mix(key + (ulong)part);

    /// <summary>Fills whole blocks.</summary>
    internal void Fill(Span<byte> blocks, ulong key)
    {
        if (_normal.Length > 0)
        {
            FillFloats(blocks, key);
            return;
        }

        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(blocks);
        for (int index = 0; index < words.Length; index++)
            words[index] = Word(key, index);
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(last, Word(key, words.Length));
        last[..(blocks.Length % sizeof(ulong))].CopyTo(blocks[(words.Length * sizeof(ulong))..]);
        for (int at = 0; at < blocks.Length; at += _blockBytes)
            SetScales(blocks.Slice(at, _blockBytes));
    }

    private void FillFloats(Span<byte> elements, ulong key)
    {
        for (int index = 0; index < elements.Length / _blockBytes; index++)
        {
            ulong word = Word(key, index / 2) >> (index % 2 * 32);
            float value = _normal[(byte)word + (byte)(word >> 8) + (byte)(word >> 16) + (byte)(word >> 24)];
            Span<byte> element = elements.Slice(index * _blockBytes, _blockBytes);
            if (_type == ElementType.F32)
                BinaryPrimitives.WriteSingleLittleEndian(element, value);
            else if (_type == ElementType.F16)
                BinaryPrimitives.WriteHalfLittleEndian(element, (Half)value);
            else
                BinaryPrimitives.WriteUInt16LittleEndian(element, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
        }
    }

    private void SetScales(Span<byte> block)
    {
        if (_type == ElementType.MXFP4)
        {
            // One byte, a power of two: 127 for 1. The layout is drawn in each type's file in engine/Quantization.
            block[0] = (byte)(127 + Math.Round(Math.Log2(_scale * ScaleSpread)));
            return;
        }

        (int scaleAt, int minAt, float min) = _type switch
        {
            ElementType.Q4_1 => (0, 2, -7.5f),
            ElementType.Q5_1 => (0, 2, -15.5f),
            ElementType.Q2_K => (80, 82, 1.5f),
            ElementType.Q3_K => (108, -1, 0),
            ElementType.Q4_K => (0, 2, 7.5f),
            ElementType.Q5_K => (0, 2, 15.5f),
            ElementType.Q6_K => (208, -1, 0),
            _ => (0, -1, 0f),
        };
        // Where there is no minimum, scales of either sign: a range of quants has no middle one (-8 to 7), and a common mean would be
        // what all tokens have in common after a few layers.
        ushort random = BinaryPrimitives.ReadUInt16LittleEndian(block[scaleAt..]);
        float scale = _scale * (1 + ((random & 0x7FFF) / 32768f));
        if (minAt < 0 && random > 0x7FFF)
            scale = -scale;
        BinaryPrimitives.WriteHalfLittleEndian(block[scaleAt..], (Half)scale);
        if (minAt >= 0)
            BinaryPrimitives.WriteHalfLittleEndian(block[minAt..], (Half)(scale * min));
    }

    /// <summary>The deviation of elements whose bits are random and whose scale is 1.</summary>
    private static double DeviationOfUnit(ElementType type) => type switch
    {
        ElementType.Q8_0 => 73.9,
        ElementType.Q4_0 or ElementType.Q4_1 => 4.61,
        ElementType.Q5_0 or ElementType.Q5_1 => 9.23,
        ElementType.Q2_K => 13.9,
        ElementType.Q3_K => 43,
        ElementType.Q4_K => 258,
        ElementType.Q5_K => 527,
        ElementType.Q6_K => 1366,
        ElementType.IQ4_NL => 69.6,
        ElementType.IQ4_XS => 1286,
        ElementType.MXFP4 => 2.93,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No random weights of this type."),
    };

    private static ulong Word(ulong key, int index) => Mix(key + (((ulong)index + 1) * 0x9E37_79B9_7F4A_7C15));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
