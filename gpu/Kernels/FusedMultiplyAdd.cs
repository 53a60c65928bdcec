using System.Reflection;
using ILGPU.Frontend;
using ILGPU.Frontend.Intrinsic;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Lets kernels call <see cref="MathF.FusedMultiplyAdd"/>, and so the engine's own elementary functions, which are made of it. The CPU
/// accelerator runs the method itself. For CUDA, ILGPU has no name for it and writes a product and a sum without a rounding mode, which
/// the driver's assembler fuses (PTX ISA, add and mul): by its default, not by promise. Where it did not, the exponential's last place
/// would move, nothing more: its reduction is exact either way.
/// </summary>
internal static class FusedMultiplyAdd
{
    /// <summary>To be called before the first kernel is compiled, and by one thread.</summary>
    internal static void Register()
    {
        MethodInfo apart = ((Func<float, float, float, float>)Apart).Method;
        RemappedIntrinsics.AddRemapping(
            ((Func<float, float, float, float>)MathF.FusedMultiplyAdd).Method, (ref InvocationContext context) => context.Method = apart);
    }

    private static float Apart(float x, float y, float z) => (x * y) + z;
}
