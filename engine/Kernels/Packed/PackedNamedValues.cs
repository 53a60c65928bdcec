using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels.Packed;

/// <summary>What the formats share whose four-bit codes, packed as <see cref="PackedNibbles"/>, name sixteen signed values.</summary>
internal static unsafe class PackedNamedValues
{
    /// <summary>Eight rows × one column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<int> Dot(byte* nibbles, ReadOnlySpan<sbyte> values, byte* x)
    {
        Vector256<sbyte> table = Table(values);
        Vector256<int> sum = default;
        for (int v = 0; v < 4; v++)
        {
            Lookup(table, nibbles + (64 * v), out Vector256<sbyte> lower, out Vector256<sbyte> upper);
            sum += PackedQ8_0.Four(lower, x + (4 * v)) + PackedQ8_0.Four(upper, x + 16 + (4 * v));
        }

        return sum;
    }

    /// <summary>Eight rows × four columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FourColumns Dot4(byte* nibbles, ReadOnlySpan<sbyte> values, byte* x)
    {
        Vector256<sbyte> table = Table(values);
        FourColumns sum = default;
        for (int v = 0; v < 4; v++)
        {
            Lookup(table, nibbles + (64 * v), out Vector256<sbyte> lower, out Vector256<sbyte> upper);
            sum += PackedQ8_0.Columns(lower, x + (4 * v));
            sum += PackedQ8_0.Columns(upper, x + 16 + (4 * v));
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Table(ReadOnlySpan<sbyte> values)
    {
        Vector128<sbyte> table = Vector128.Create(values);
        return Vector256.Create(table, table);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lookup(Vector256<sbyte> table, byte* nibbles, out Vector256<sbyte> lower, out Vector256<sbyte> upper)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        Vector256<byte> both = Vector256.Load(nibbles);
        lower = Avx2.Shuffle(table, (both & mask).AsSByte());
        upper = Avx2.Shuffle(table, ((both.AsUInt16() >> 4).AsByte() & mask).AsSByte());
    }
}
