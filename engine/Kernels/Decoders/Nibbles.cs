using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels.Decoders;

/// <summary>32 codes of which sixteen bytes hold four bits each: element j in the low half of byte j, element j + 16 in the high.</summary>
internal static unsafe class Nibbles
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<byte> Load(byte* packed)
    {
        Vector128<byte> low = Vector128.Load(packed);
        Vector128<byte> high = (low.AsUInt16() >> 4).AsByte();
        return Vector256.Create(low, high) & Vector256.Create((byte)0xF);
    }

    /// <summary>The sixteen <paramref name="values"/> that the codes name.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<byte> Load(byte* packed, ReadOnlySpan<sbyte> values)
    {
        Vector128<byte> table = Vector128.Create(values).AsByte();
        return Avx2.Shuffle(Vector256.Create(table, table), Load(packed));
    }

    /// <summary>The codes with bit i of <paramref name="fifthBits"/> as the fifth bit of code i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<byte> Load(byte* packed, uint fifthBits)
    {
        // Byte i / 8 of the word to place i, where bit i mod 8 is singled out.
        Vector256<byte> places = Vector256.Create(
            0UL, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303).AsByte();
        Vector256<byte> bit = Vector256.Create(0x8040_2010_0804_0201).AsByte();
        Vector256<byte> bytes = Avx2.Shuffle(Vector256.Create(fifthBits).AsByte(), places);
        return Load(packed) | (Vector256.Equals(bytes & bit, bit) & Vector256.Create((byte)0x10));
    }
}
