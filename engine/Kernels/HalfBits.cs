namespace Pure.Engine.Kernels;

/// <summary>
/// Widening 16-bit floats in integer lanes. With exponent and fraction shifted into a float's place (m): a normal number needs the
/// exponent's bias corrected (m + Rebias); infinity and NaN need it twice (31 + 112 + 112 = 255); zero and denormals are
/// (2^-14 + m as fraction) − 2^-14, exact, and unlike a product with a denormal operand never slow.
/// </summary>
internal static class HalfBits
{
    /// <summary>(127 − 15) in the exponent's place.</summary>
    internal const int Rebias = 112 << 23;

    /// <summary>Shifted bits of the least normal half, 2^-14.</summary>
    internal const int Least = 0x0400 << 13;

    /// <summary>Shifted bits of infinity; NaN lies above.</summary>
    internal const int Infinite = 0x7C00 << 13;
}
