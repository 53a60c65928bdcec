namespace Pure.Engine.Kernels.Emit;

/// <summary>A loop of nothing but the instruction that emitted kernels are made of, on independent registers: they cannot be faster.</summary>
internal static unsafe class DotPeak
{
    private const int Sums = 24;

    private static readonly nint Code = Emit();

    /// <summary>Multiplications and additions of bytes in one round; 0 where the loop cannot run.</summary>
    internal static int OperationsPerRound => Code == 0 ? 0 : 2 * 64 * Sums;

    /// <summary>Runs the loop, some 50 µs at most at a time: no garbage is collected meanwhile.</summary>
    internal static void Run(int rounds)
    {
        byte* x = stackalloc byte[32];
        ((delegate* unmanaged[SuppressGCTransition]<byte*, nint, void>)Code)(x, rounds);
    }

    private static nint Emit()
    {
        if (!EmittedKernels.IsSupported)
            return 0;
        var code = new Assembler();
        int loop = code.Here;
        for (int sum = 0; sum < Sums; sum++)
            code.DotBytes(new Zmm(sum), new Zmm(Sums), new Address(Gpr.Rdi, 4 * (sum % 8)));
        code.Decrement(Gpr.Rsi);
        code.JumpIfNotZero(loop);
        code.ClearUpperHalves();
        code.Return();
        return (nint)ExecutableMemory.Place(code.Code.Span);
    }
}
