namespace Pure.Gpu.Kernels;

/// <summary>16 bytes: what a lane reads at once.</summary>
internal readonly struct Quad(int x, int y, int z, int w)
{
    internal readonly int X = x;
    internal readonly int Y = y;
    internal readonly int Z = z;
    internal readonly int W = w;
}

/// <summary>8 bytes.</summary>
internal readonly struct Pair(int x, int y)
{
    internal readonly int X = x;
    internal readonly int Y = y;
}

/// <summary>Two floats, 8 bytes.</summary>
internal readonly struct Two(float x, float y)
{
    internal readonly float X = x;
    internal readonly float Y = y;
}
