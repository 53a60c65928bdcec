using System.Runtime.Intrinsics;
using Pure.Engine.Memory;

namespace Pure.Engine.Kernels;

/// <summary>Reads memory and does nothing with it but add it up: what any kernel that reads as much must take at least.</summary>
internal static unsafe class ReadKernel
{
    private const int Step = 128;

    /// <summary>The sum of the 64-bit words of <paramref name="memory"/>, but for the last few that do not fill a step.</summary>
    internal static ulong Sum(NativeView memory)
    {
        // Four independent sums, so that additions do not wait for each other.
        Vector256<ulong> a = default, b = default, c = default, d = default;
        var words = (ulong*)memory.Pointer;
        for (long left = memory.Length; left >= Step; left -= Step, words += Step / sizeof(ulong))
        {
            a += Vector256.Load(words);
            b += Vector256.Load(words + 4);
            c += Vector256.Load(words + 8);
            d += Vector256.Load(words + 12);
        }

        return Vector256.Sum(a + b + c + d);
    }
}
