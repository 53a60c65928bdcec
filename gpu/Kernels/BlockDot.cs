namespace Pure.Gpu.Kernels;

/// <summary>32 weights × 32 activations of 8 bits: whole numbers inside the block, floats only for what they are worth.</summary>
internal static class BlockDot<TMath>
    where TMath : struct, IByteMath
{
    /// <param name="codes">The weights' codes.</param>
    /// <param name="scales">What they mean.</param>
    /// <param name="input">The activations.</param>
    /// <param name="block">Which block of all rows' blocks.</param>
    internal static float Of(Codes32 codes, Scales32 scales, InputView input, long block)
    {
        Quad a = input.Codes[block * 2];
        Quad b = input.Codes[(block * 2) + 1];
        int low = default(TMath).Dot(codes.C0, a.X, 0);
        low = default(TMath).Dot(codes.C1, a.Y, low);
        low = default(TMath).Dot(codes.C2, a.Z, low);
        low = default(TMath).Dot(codes.C3, a.W, low);
        int high = default(TMath).Dot(codes.C4, b.X, 0);
        high = default(TMath).Dot(codes.C5, b.Y, high);
        high = default(TMath).Dot(codes.C6, b.Z, high);
        high = default(TMath).Dot(codes.C7, b.W, high);
        return ((low * scales.Low) + (high * scales.High) - (input.Sums[block] * scales.Min)) * input.Scales[block];
    }
}
