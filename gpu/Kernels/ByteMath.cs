using ILGPU.Runtime.Cuda;

namespace Pure.Gpu.Kernels;

/// <summary>Arithmetic on four bytes of an int, for which CUDA has instructions.</summary>
internal interface IByteMath
{
    /// <summary><paramref name="c"/> + Σ a[i] · b[i] over four signed bytes.</summary>
    int Dot(int a, int b, int c);

    /// <summary>
    /// Byte i is byte <c>s[i]</c> of the eight in <paramref name="low"/> and <paramref name="high"/>, where s[i] is nibble i of
    /// <paramref name="selector"/>, 0 to 7; the upper four nibbles count for nothing.
    /// </summary>
    int Select(int low, int high, int selector);
}

/// <summary>What the instructions mean.</summary>
internal readonly struct PlainByteMath : IByteMath
{
    public int Dot(int a, int b, int c) =>
        c + ((sbyte)a * (sbyte)b) + ((sbyte)(a >> 8) * (sbyte)(b >> 8)) + ((sbyte)(a >> 16) * (sbyte)(b >> 16)) + ((a >> 24) * (b >> 24));

    public int Select(int low, int high, int selector)
    {
        ulong bytes = (uint)low | ((ulong)(uint)high << 32);
        return Byte(bytes, selector) | (Byte(bytes, selector >> 4) << 8) | (Byte(bytes, selector >> 8) << 16) | (Byte(bytes, selector >> 12) << 24);
    }

    private static int Byte(ulong bytes, int index) => (int)(bytes >> ((index & 7) * 8)) & 0xFF;
}

/// <summary>The instructions.</summary>
/// <remarks>
/// An <c>out</c> of <see cref="CudaAsm"/> is an address, for which the compiler makes local memory. So the text writes to the register of
/// an argument instead: of a value made for it alone, by an operation that the driver's compiler then finds without use.
/// </remarks>
internal readonly struct CudaByteMath : IByteMath
{
    public int Dot(int a, int b, int c)
    {
        int result = a ^ b;
        CudaAsm.Emit("dp4a.s32.s32 %0, %1, %2, %3;", result, a, b, c);
        return result;
    }

    public int Select(int low, int high, int selector)
    {
        int result = selector ^ 1;
        CudaAsm.Emit("prmt.b32 %0, %1, %2, %3;", result, low, high, selector);
        return result;
    }
}
