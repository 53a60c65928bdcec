using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>
/// Rows of a file taken apart for the device. What comes in is drawn in the engine's Quantization folder, a file for each type; what goes out
/// in <see cref="DeviceMatrix"/>, BlockCodes and BlockScales.
/// </summary>
internal static class RowPackers
{
    private const int BlocksOfSuper = 8;

    /// <summary>Floats stay as they are.</summary>
    internal static void Copy(ReadOnlySpan<byte> row, PackedRow to) => row.CopyTo(MemoryMarshal.AsBytes(to.Codes));

    internal static void Q8_0(ReadOnlySpan<byte> row, PackedRow to) => ScaleThenCodes(row, to, 34);

    internal static void Q4_0(ReadOnlySpan<byte> row, PackedRow to) => ScaleThenCodes(row, to, 18);

    /// <summary>Fifth bits would make a third array; bytes are read faster, and few models have this type.</summary>
    internal static void Q5_0(ReadOnlySpan<byte> row, PackedRow to)
    {
        Span<byte> codes = MemoryMarshal.AsBytes(to.Codes);
        for (int block = 0; block < to.Scales.Length; block++, row = row[22..], codes = codes[32..])
        {
            to.Scales[block] = BinaryPrimitives.ReadUInt16LittleEndian(row);
            uint fifth = BinaryPrimitives.ReadUInt32LittleEndian(row[2..]);
            for (int i = 0; i < 32; i++)
                codes[i] = (byte)((((row[6 + (i % 16)] >> (i / 16 * 4)) & 0xF) | (int)((fifth >> i) & 1) << 4) - 16);
        }
    }

    internal static void IQ4_NL(ReadOnlySpan<byte> row, PackedRow to)
    {
        for (int block = 0; block < to.Scales.Length; block++, row = row[18..])
        {
            to.Scales[block] = BinaryPrimitives.ReadUInt16LittleEndian(row);
            to.Codes[block] = InOrder(row[2..]);
        }
    }

    internal static void MXFP4(ReadOnlySpan<byte> row, PackedRow to)
    {
        for (int block = 0; block < to.Scales.Length; block++, row = row[17..])
        {
            to.Scales[block] = row[0];
            to.Codes[block] = InOrder(row[1..]);
        }
    }

    internal static void Q4_K(ReadOnlySpan<byte> row, PackedRow to)
    {
        Span<byte> codes = MemoryMarshal.AsBytes(to.Codes);
        for (int block = 0; block < to.Scales.Length; block++, codes = codes[16..])
        {
            int s = block % BlocksOfSuper;
            ReadOnlySpan<byte> super = row.Slice(block / BlocksOfSuper * 144, 144);
            to.Supers[block / BlocksOfSuper] = BinaryPrimitives.ReadInt32LittleEndian(super);
            to.Scales[block] = ScaleAndMin(super[4..], s);
            ReadOnlySpan<byte> q = super.Slice(16 + (s / 2 * 32), 32);
            int shift = s % 2 * 4;
            for (int j = 0; j < 16; j++)
                codes[j] = (byte)(((q[j] >> shift) & 0xF) | (((q[j + 16] >> shift) & 0xF) << 4));
        }
    }

    /// <summary>Bytes instead of fifth bits, as in <see cref="Q5_0"/>.</summary>
    internal static void Q5_K(ReadOnlySpan<byte> row, PackedRow to)
    {
        Span<byte> codes = MemoryMarshal.AsBytes(to.Codes);
        for (int block = 0; block < to.Scales.Length; block++, codes = codes[32..])
        {
            int s = block % BlocksOfSuper;
            ReadOnlySpan<byte> super = row.Slice(block / BlocksOfSuper * 176, 176);
            to.Supers[block / BlocksOfSuper] = BinaryPrimitives.ReadInt32LittleEndian(super);
            to.Scales[block] = ScaleAndMin(super[4..], s);
            ReadOnlySpan<byte> fifth = super.Slice(16, 32);
            ReadOnlySpan<byte> q = super.Slice(48 + (s / 2 * 32), 32);
            for (int i = 0; i < 32; i++)
                codes[i] = (byte)(((q[i] >> (s % 2 * 4)) & 0xF) | (((fifth[i] >> s) & 1) << 4));
        }
    }

    internal static void Q6_K(ReadOnlySpan<byte> row, PackedRow to)
    {
        Span<byte> codes = MemoryMarshal.AsBytes(to.Codes);
        Span<byte> highs = MemoryMarshal.AsBytes(to.High);
        highs.Clear();
        for (int block = 0; block < to.Scales.Length; block++, codes = codes[16..], highs = highs[8..])
        {
            int quarter = block % BlocksOfSuper;
            int half = quarter / 4;
            int part = quarter % 4;
            ReadOnlySpan<byte> super = row.Slice(block / BlocksOfSuper * 210, 210);
            to.Supers[block / BlocksOfSuper] = BinaryPrimitives.ReadUInt16LittleEndian(super[208..]);
            to.Scales[block] = BinaryPrimitives.ReadUInt16LittleEndian(super[(192 + (quarter * 2))..]);
            ReadOnlySpan<byte> low = super.Slice((half * 64) + (part % 2 * 32), 32);
            ReadOnlySpan<byte> high = super.Slice(128 + (half * 32), 32);
            int shift = part / 2 * 4;
            for (int j = 0; j < 16; j++)
                codes[j] = (byte)(((low[j] >> shift) & 0xF) | (((low[j + 16] >> shift) & 0xF) << 4));
            for (int i = 0; i < 32; i++)
                highs[(i / 16 * 4) + (i % 4)] |= (byte)(((high[i] >> (part * 2)) & 3) << (i % 16 / 4 * 2));
        }
    }

    /// <summary>Blocks of a half and the codes, in the order in which the device keeps them.</summary>
    private static void ScaleThenCodes(ReadOnlySpan<byte> row, PackedRow to, int blockBytes)
    {
        Span<byte> codes = MemoryMarshal.AsBytes(to.Codes);
        for (int block = 0; block < to.Scales.Length; block++, row = row[blockBytes..])
        {
            to.Scales[block] = BinaryPrimitives.ReadUInt16LittleEndian(row);
            row[2..blockBytes].CopyTo(codes[(block * (blockBytes - 2))..]);
        }
    }

    /// <summary>Sixteen bytes of codes j (low halves) and j + 16 (high halves), as nibbles in the codes' order.</summary>
    private static Quad InOrder(ReadOnlySpan<byte> q) => new(Eight(q, 0), Eight(q[8..], 0), Eight(q, 4), Eight(q[8..], 4));

    private static int Eight(ReadOnlySpan<byte> q, int shift)
    {
        int eight = 0;
        for (int i = 0; i < 8; i++)
            eight |= ((q[i] >> shift) & 0xF) << (4 * i);
        return eight;
    }

    /// <summary>Scale (low byte) and minimum (high byte) of block s of a super-block of Q4_K or Q5_K.</summary>
    private static ushort ScaleAndMin(ReadOnlySpan<byte> packed, int s)
    {
        int scale = s < 4 ? packed[s] & 63 : (packed[s + 4] & 0xF) | (packed[s - 4] >> 6 << 4);
        int min = s < 4 ? packed[s + 4] & 63 : (packed[s + 4] >> 4) | (packed[s] >> 6 << 4);
        return (ushort)(scale | (min << 8));
    }
}
