namespace Pure.Engine.Quantization;

/// <summary>
/// A row of activations cut into blocks of 32 elements of 8 bits. Three arrays per row: <c>quants [columns]</c> int8, <c>scales
/// [columns / 32]</c> float32 and <c>sums [columns / 32]</c> int32, the sum of a block's quants, which weights with minima need.
/// </summary>
internal static unsafe class Q8Activations
{
    public const int BlockSize = 32;

    private const uint Infinity = 0x7F80_0000;

    /// <summary>2^-100. Below it a block is zero: its inverse scale would come near the largest float.</summary>
    private const uint LeastMagnitude = (127 - 100) << 23;

    /// <summary>
    /// Quantises a row: <c>d = max |x| / 127</c>, <c>q = round(x · (127 / max |x|))</c>, halves to even. A block that holds a NaN or
    /// an infinity gets the scale NaN, so that every result it touches shows it. This loop is the definition: vector paths must
    /// give its bits.
    /// </summary>
    /// <remarks>
    /// Half a step and three roundings: |x - q · d| ≤ d / 2 · (1 + 2^-14), or 2^-100 where the block is zero.
    /// </remarks>
    /// <param name="x">Activations <c>[columns]</c>.</param>
    /// <param name="columns">A multiple of 32.</param>
    /// <param name="quants">Receives <c>[columns]</c> values from -127 to 127.</param>
    /// <param name="scales">Receives <c>[columns / 32]</c>.</param>
    /// <param name="sums">Receives <c>[columns / 32]</c>.</param>
    public static void Quantize(float* x, int columns, sbyte* quants, float* scales, int* sums)
    {
        for (int block = 0; block < columns / BlockSize; block++, x += BlockSize, quants += BlockSize)
        {
            // Magnitudes of floats are ordered as their bits; NaN comes above infinity.
            uint largest = 0;
            for (int i = 0; i < BlockSize; i++)
                largest = Math.Max(largest, BitConverter.SingleToUInt32Bits(x[i]) & 0x7FFF_FFFF);

            if (largest is < LeastMagnitude or >= Infinity)
            {
                new Span<sbyte>(quants, BlockSize).Clear();
                scales[block] = largest < LeastMagnitude ? 0 : float.NaN;
                sums[block] = 0;
                continue;
            }

            float amax = BitConverter.UInt32BitsToSingle(largest);
            float inverse = 127f / amax;
            int sum = 0;
            for (int i = 0; i < BlockSize; i++)
            {
                quants[i] = (sbyte)MathF.Round(x[i] * inverse, MidpointRounding.ToEven);
                sum += quants[i];
            }

            scales[block] = amax / 127f;
            sums[block] = sum;
        }
    }
}
