using System.Numerics;
using System.Runtime.Intrinsics;
using Pure.Engine.Memory;

namespace Pure.Engine.Kernels;

/// <summary>
/// A checksum as fast as memory is read: it finds damage, not forgery. Of the 64-byte vectors w₁ … wₙ, the rest filled up with zeros, in
/// each of eight 64-bit lanes the sums Σ wᵢ and Σ (n + 1 − i)·wᵢ, as Fletcher's (1982) modulo 2⁶⁴, and the length.
/// </summary>
/// <remarks>The first sum changes with any one changed word, the second where words change places.</remarks>
internal static unsafe class ChecksumKernel
{
    private const int Step = 64;
    private const ulong Odd = 0x9E3779B97F4A7C15;

    /// <summary>The checksum; the same on every machine of this byte order.</summary>
    internal static ulong Of(NativeView memory)
    {
        Vector512<ulong> sum = default, sumOfSums = default;
        byte* next = memory.Pointer;
        long left = memory.Length;
        for (; left >= Step; left -= Step, next += Step)
        {
            sum += Vector512.Load((ulong*)next);
            sumOfSums += sum;
        }

        if (left > 0)
        {
            byte* last = stackalloc byte[Step];
            new ReadOnlySpan<byte>(next, (int)left).CopyTo(new Span<byte>(last, Step));
            sum += Vector512.Load((ulong*)last);
            sumOfSums += sum;
        }

        ulong folded = (ulong)memory.Length;
        for (int lane = 0; lane < Vector512<ulong>.Count; lane++)
            folded = Fold(Fold(folded, sum[lane]), sumOfSums[lane]);
        return folded;
    }

    private static ulong Fold(ulong folded, ulong word) => BitOperations.RotateLeft((folded ^ word) * Odd, 29);
}
