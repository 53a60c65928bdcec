namespace Pure.Engine.Generation.Grammars;

/// <summary>A set of bytes, one bit each.</summary>
internal readonly record struct ByteSet(ulong Bits0, ulong Bits64, ulong Bits128, ulong Bits192)
{
    /// <summary>The bytes from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    internal static ByteSet Range(int first, int last)
    {
        Span<ulong> words = stackalloc ulong[4];
        words.Clear();
        for (int value = first; value <= last; value++)
            words[value >> 6] |= 1UL << (value & 63);
        return new ByteSet(words[0], words[1], words[2], words[3]);
    }

    /// <summary>Whether the set has a byte.</summary>
    internal bool Contains(byte value) =>
        (((value >> 6) switch { 0 => Bits0, 1 => Bits64, 2 => Bits128, _ => Bits192 } >> (value & 63)) & 1) != 0;

    /// <summary>The bytes of both.</summary>
    internal ByteSet Union(ByteSet other) =>
        new(Bits0 | other.Bits0, Bits64 | other.Bits64, Bits128 | other.Bits128, Bits192 | other.Bits192);
}
