using ILGPU;
using ILGPU.Runtime.Cuda;

namespace Pure.Gpu.Kernels;

/// <summary>Four sums of a lane: X and Y of one row and two columns, Z and W of the row eight below.</summary>
internal readonly struct Sums4(int x, int y, int z, int w)
{
    internal readonly int X = x;
    internal readonly int Y = y;
    internal readonly int Z = z;
    internal readonly int W = w;
}

/// <summary>
/// Products of small matrices of signed bytes by a warp of 32 lanes (PTX ISA, mma.m16n8k32 and m16n8k16). Lane 4g + t has of the sixteen rows
/// of A row g and row g + 8, of the eight columns of B column g, and of the result columns 2t and 2t + 1:
/// <code>
/// a0  A[g, 4t … 4t + 3]         a1  A[g + 8, 4t … 4t + 3]         b0  B[4t … 4t + 3, g]
/// a2  A[g, 16 + 4t … 19 + 4t]   a3  A[g + 8, 16 + 4t … 19 + 4t]   b1  B[16 + 4t … 19 + 4t, g]
/// X   C[g, 2t]    Y  C[g, 2t + 1]    Z  C[g + 8, 2t]    W  C[g + 8, 2t + 1]
/// </code>
/// </summary>
internal interface ITensorCores
{
    /// <summary>A <c>[16, 32]</c> · B <c>[32, 8]</c>.</summary>
    Sums4 Of32(int a0, int a1, int a2, int a3, int b0, int b1);

    /// <summary>A <c>[16, 16]</c> · B <c>[16, 8]</c>, of which there are no a2, a3 and b1.</summary>
    Sums4 Of16(int a0, int a1, int b0);
}

/// <summary>
/// The same of floats whose lower 13 bits are zero, which leaves ten bits of fraction (PTX ISA, mma.m16n8k8, tf32).
/// <code>
/// a0  A[g, t]       a1  A[g + 8, t]       b0  B[t, g]
/// a2  A[g, t + 4]   a3  A[g + 8, t + 4]   b1  B[t + 4, g]
/// </code>
/// </summary>
internal interface IFloatTensorCores
{
    /// <summary>A <c>[16, 8]</c> · B <c>[8, 8]</c>.</summary>
    Four Of8(float a0, float a1, float a2, float a3, float b0, float b1);
}

/// <summary>What the instructions mean: lanes ask each other for what they lack.</summary>
internal readonly struct PlainTensorCores : ITensorCores, IFloatTensorCores
{
    public Sums4 Of32(int a0, int a1, int a2, int a3, int b0, int b1)
    {
        Sums4 low = Of16(a0, a1, b0);
        Sums4 high = Of16(a2, a3, b1);
        return new(low.X + high.X, low.Y + high.Y, low.Z + high.Z, low.W + high.W);
    }

    public Sums4 Of16(int a0, int a1, int b0)
    {
        int g = Warp.LaneIdx / 4;
        int t = Warp.LaneIdx % 4;
        int x = 0;
        int y = 0;
        int z = 0;
        int w = 0;
        for (int part = 0; part < 4; part++)
        {
            int upper = Warp.Shuffle(a0, (4 * g) + part);
            int lower = Warp.Shuffle(a1, (4 * g) + part);
            int left = Warp.Shuffle(b0, (8 * t) + part);
            int right = Warp.Shuffle(b0, (8 * t) + 4 + part);
            x = default(PlainByteMath).Dot(upper, left, x);
            y = default(PlainByteMath).Dot(upper, right, y);
            z = default(PlainByteMath).Dot(lower, left, z);
            w = default(PlainByteMath).Dot(lower, right, w);
        }

        return new(x, y, z, w);
    }

    public Four Of8(float a0, float a1, float a2, float a3, float b0, float b1)
    {
        int g = Warp.LaneIdx / 4;
        int t = Warp.LaneIdx % 4;
        float x = 0;
        float y = 0;
        float z = 0;
        float w = 0;
        for (int part = 0; part < 8; part++)
        {
            float upper = Warp.Shuffle(part < 4 ? a0 : a2, (4 * g) + (part % 4));
            float lower = Warp.Shuffle(part < 4 ? a1 : a3, (4 * g) + (part % 4));
            float left = Warp.Shuffle(part < 4 ? b0 : b1, (8 * t) + (part % 4));
            float right = Warp.Shuffle(part < 4 ? b0 : b1, (8 * t) + 4 + (part % 4));
            x += upper * left;
            y += upper * right;
            z += lower * left;
            w += lower * right;
        }

        return new(x, y, z, w);
    }
}

/// <summary>The instructions; results as in <see cref="CudaByteMath"/>.</summary>
internal readonly struct CudaTensorCores : ITensorCores, IFloatTensorCores
{
    public Sums4 Of32(int a0, int a1, int a2, int a3, int b0, int b1)
    {
        int x = a0 ^ b0;
        int y = a1 ^ b0;
        int z = a2 ^ b1;
        int w = a3 ^ b1;
        CudaAsm.Emit(
            "mov.b32 %0, 0; mov.b32 %1, 0; mov.b32 %2, 0; mov.b32 %3, 0; " +
            "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};",
            x,
            y,
            z,
            w,
            a0,
            a1,
            a2,
            a3,
            b0,
            b1);
        return new(x, y, z, w);
    }

    public Sums4 Of16(int a0, int a1, int b0)
    {
        int x = a0 ^ b0;
        int y = a1 ^ b0;
        int z = a0 + b0;
        int w = a1 + b0;
        CudaAsm.Emit(
            "mov.b32 %0, 0; mov.b32 %1, 0; mov.b32 %2, 0; mov.b32 %3, 0; " +
            "mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};",
            x,
            y,
            z,
            w,
            a0,
            a1,
            b0);
        return new(x, y, z, w);
    }

    public Four Of8(float a0, float a1, float a2, float a3, float b0, float b1)
    {
        float x = a0 + b0;
        float y = a1 + b0;
        float z = a2 + b1;
        float w = a3 + b1;
        CudaAsm.Emit(
            "mov.b32 %0, 0; mov.b32 %1, 0; mov.b32 %2, 0; mov.b32 %3, 0; " +
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};",
            x,
            y,
            z,
            w,
            Interop.FloatAsInt(a0),
            Interop.FloatAsInt(a1),
            Interop.FloatAsInt(a2),
            Interop.FloatAsInt(a3),
            Interop.FloatAsInt(b0),
            Interop.FloatAsInt(b1));
        return new(x, y, z, w);
    }
}
