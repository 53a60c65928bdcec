using System.Runtime.Intrinsics.X86;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Emit;

/// <summary>
/// Kernels written as machine code at run time, one for each element type and panel width, made when first asked for. A kernel is used
/// only if the system lets its pages be executed and it agrees with <see cref="PackedKernel"/> to the bit on random blocks.
/// </summary>
internal static unsafe class EmittedKernels
{
    /// <summary>The <see cref="AppContext"/> switch that turns them off for a whole process when set to false.</summary>
    internal const string SwitchName = "Pure.Engine.EmitKernels";

    private const int CheckedBlocks = 3;

    private static readonly Kernel[] Kernels = new Kernel[((int)ElementType.Q6_K + 1) * (Panel.MaxWidth + 1)];
    private static readonly Lock Gate = new();

    private enum State
    {
        Unknown,
        Usable,
        Refused,
    }

    /// <summary>Whether the processor, the platform and the process's settings allow emitted kernels.</summary>
    internal static bool IsSupported { get; } =
        ExecutableMemory.IsSupported && Lanes512.IsSupported && HasVnni()
        && !(AppContext.TryGetSwitch(SwitchName, out bool isOn) && !isOn);

    /// <summary>As <see cref="PackedKernel.Run"/>; false, and nothing done, where the kernel may not be used.</summary>
    internal static bool TryRun(ElementType type, byte* weights, byte* panel, int width, int blocks, float* sums)
    {
        ref Kernel kernel = ref Kernels[((int)type * (Panel.MaxWidth + 1)) + width];
        if (kernel.State == State.Unknown)
            Make(ref kernel, type, width);
        if (kernel.State == State.Refused)
            return false;
        kernel.Run(weights, panel, blocks, sums);
        return true;
    }

    private static void Make(ref Kernel kernel, ElementType type, int width)
    {
        lock (Gate)
        {
            if (kernel.State == State.Unknown)
            {
                // Where the registers do not hold a whole panel, two kernels share it.
                int columns = width <= DotKernelEmitter.MaxColumns(type) ? width : (width + 1) / 2;
                kernel.First = (nint)ExecutableMemory.Place(DotKernelEmitter.Emit(type, 0, columns, width).Span);
                if (columns < width)
                    kernel.Second = (nint)ExecutableMemory.Place(DotKernelEmitter.Emit(type, columns, width - columns, width).Span);
                bool isPlaced = kernel.First != 0 && (columns == width || kernel.Second != 0);
                kernel.State = isPlaced && Agrees(type, width, kernel) ? State.Usable : State.Refused;
            }
        }
    }

    private static bool Agrees(ElementType type, int width, in Kernel kernel)
    {
        int units = PackedMatrix.Units(type);
        int blockBytes = PackedMatrix.BlockBytes(type);
        int columns = CheckedBlocks * units * Activations.BlockSize;
        using var weights = new AlignedBuffer<byte>(CheckedBlocks * blockBytes);
        using var panel = new AlignedBuffer<byte>(Panel.Bytes(columns, width));
        using var expected = new AlignedBuffer<float>(width * PackedMatrix.GroupRows);
        using var actual = new AlignedBuffer<float>(width * PackedMatrix.GroupRows);

        // Any bytes will do for codes; without the top bit of its exponent a 16-bit float is finite.
        var random = new Random(width);
        random.NextBytes(weights.Span);
        for (int block = 0; block < CheckedBlocks; block++)
        {
            for (int i = 1; i < 64; i += 2)
                weights.Pointer[(block * blockBytes) + i] &= 0xBF;
        }

        using var rows = new ActivationBuffer(width, columns);
        Activations x = rows.Rows(width);
        for (int row = 0; row < width; row++)
        {
            foreach (ref float value in x.Row(row))
                value = random.NextSingle() - 0.5f;
            QuantizeKernel.Vector(x.Values + ((long)row * x.Stride), columns, x.Quants + ((long)row * x.Stride),
                x.Scales + ((long)row * x.Stride / Activations.BlockSize), x.Sums + ((long)row * x.Stride / Activations.BlockSize));
        }

        Panel.Fill(x, new InputRows(null, width), 0, width, panel.Pointer);
        PackedKernel.Run(type, weights.Pointer, panel.Pointer, width, CheckedBlocks, expected.Pointer);
        kernel.Run(weights.Pointer, panel.Pointer, CheckedBlocks, actual.Pointer);
        return expected.View.AsSpan(0, (int)expected.View.Length).SequenceEqual(actual.View.AsSpan(0, (int)actual.View.Length));
    }

    /// <summary>One type and width: the code of the first columns, and of the others where they are too many for one.</summary>
    private struct Kernel
    {
        internal volatile State State;
        internal nint First;
        internal nint Second;

        internal readonly void Run(byte* weights, byte* panel, int blocks, float* sums)
        {
            ((delegate* unmanaged[SuppressGCTransition]<byte*, byte*, nint, float*, void>)First)(weights, panel, blocks, sums);
            if (Second != 0)
                ((delegate* unmanaged[SuppressGCTransition]<byte*, byte*, nint, float*, void>)Second)(weights, panel, blocks, sums);
        }
    }

    // CPUID leaf 7, ECX bit 11.
    private static bool HasVnni() => X86Base.IsSupported && (X86Base.CpuId(7, 0).Ecx & (1 << 11)) != 0;
}
