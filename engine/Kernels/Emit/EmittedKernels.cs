using System.Runtime.Intrinsics.X86;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Memory;

namespace Pure.Engine.Kernels.Emit;

/// <summary>
/// Kernels written as machine code at run time, one for each element type and panel width, made when first asked for. A kernel is used
/// only if the system lets its pages be executed and it agrees with <see cref="PackedKernel{TRows}"/> to the bit on random blocks.
/// </summary>
internal static unsafe class EmittedKernels
{
    /// <summary>The <see cref="AppContext"/> switch that turns them off for a whole process when set to false.</summary>
    internal const string SwitchName = "Pure.Engine.EmitKernels";

    private const int CheckedBlocks = 3;

    private static readonly Kernel[] Kernels = new Kernel[(PackedFormat.LastType + 1) * (Panel.MaxWidth + 1)];
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

    /// <summary>As <see cref="PackedKernel{TRows}.Run"/>; false, and nothing done, where the kernel may not be used.</summary>
    internal static bool TryRun(PackedFormat format, byte* weights, byte* panel, int width, int blocks, float* sums)
    {
        ref Kernel kernel = ref Find(format, width);
        if (kernel.State == State.Refused)
            return false;
        kernel.Run(weights, panel, blocks, sums);
        return true;
    }

    /// <summary>Whether the kernel of a type and a panel width could be made and agreed with the definition.</summary>
    internal static bool IsUsable(PackedFormat format, int width) => Find(format, width).State == State.Usable;

    private static ref Kernel Find(PackedFormat format, int width)
    {
        ref Kernel kernel = ref Kernels[((int)format.Type * (Panel.MaxWidth + 1)) + width];
        if (kernel.State == State.Unknown)
            Make(ref kernel, format, width);
        return ref kernel;
    }

    private static void Make(ref Kernel kernel, PackedFormat format, int width)
    {
        lock (Gate)
        {
            if (kernel.State == State.Unknown)
            {
                // Where the registers do not hold a whole panel, two kernels share it.
                int columns = width <= DotKernelEmitter.MaxColumns(format.Type) ? width : (width + 1) / 2;
                kernel.First = (nint)ExecutableMemory.Place(DotKernelEmitter.Emit(format.Type, 0, columns, width).Span);
                if (columns < width)
                    kernel.Second = (nint)ExecutableMemory.Place(DotKernelEmitter.Emit(format.Type, columns, width - columns, width).Span);
                bool isPlaced = kernel.First != 0 && (columns == width || kernel.Second != 0);
                kernel.State = isPlaced && Agrees(format, width, kernel) ? State.Usable : State.Refused;
            }
        }
    }

    private static bool Agrees(PackedFormat format, int width, in Kernel kernel)
    {
        int blockBytes = format.BlockBytes;
        int columns = CheckedBlocks * format.Units * Activations.BlockSize;
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
        PackedKernel<Rows256<PairedProducts>>.Run(format.Type, weights.Pointer, panel.Pointer, width, CheckedBlocks, expected.Pointer);
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
