namespace Pure.Engine.Generation;

/// <summary>
/// Random numbers that depend on a key and a counter alone: no state, so neither threads nor the other sequences of a batch can
/// move them. Philox 4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
/// </summary>
internal static class RandomNumber
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9; // golden ratio
    private const uint Weyl1 = 0xBB67AE85; // sqrt(3) - 1

    /// <summary>A number in [0, 1) with 53 random bits. The seed is the key; step and sequence are the counter.</summary>
    internal static double Uniform(ulong seed, ulong sequence, ulong step)
    {
        (uint low, uint high, _, _) = Philox(
            (uint)step, (uint)(step >> 32), (uint)sequence, (uint)(sequence >> 32), (uint)seed, (uint)(seed >> 32));
        return ((((ulong)high << 32) | low) >> 11) * (1.0 / (1L << 53));
    }

    /// <summary>Ten rounds over the counter <c>[c0, c1, c2, c3]</c> with the key <c>[k0, k1]</c>.</summary>
    internal static (uint, uint, uint, uint) Philox(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong product0 = (ulong)Multiplier0 * c0;
            ulong product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }
}
