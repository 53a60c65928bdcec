namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// One vector register of an instruction set, as packed rows see it: a 32-bit lane per row, which holds four bytes, an integer or a
/// float. All give the same numbers; only how many rows there are at a time and how bytes are multiplied differ.
/// </summary>
internal unsafe interface IRowLanes<TSelf>
    where TSelf : struct, IRowLanes<TSelf>
{
    /// <summary>Lanes, a divisor of <see cref="PackedMatrix.GroupRows"/>.</summary>
    static abstract int Rows { get; }

    // Bits.

    /// <summary>Four bytes for each row.</summary>
    static abstract TSelf Load(byte* source);

    static abstract TSelf EveryByte(byte value);

    static abstract TSelf operator &(TSelf left, TSelf right);

    static abstract TSelf operator |(TSelf left, TSelf right);

    /// <summary>Lanes of 16 bits to the left, whatever bytes they hold.</summary>
    static abstract TSelf operator <<(TSelf value, int bits);

    /// <summary>To the right.</summary>
    static abstract TSelf operator >>>(TSelf value, int bits);

    /// <summary>Sixteen bytes to look up.</summary>
    static abstract TSelf Table(ReadOnlySpan<sbyte> values);

    /// <summary>The bytes of <paramref name="table"/> at <paramref name="places"/>, 0 to 15.</summary>
    static abstract TSelf LookUp(TSelf table, TSelf places);

    // Products of bytes.

    /// <summary>
    /// Adds to each lane the products of its four codes with the four activations at <paramref name="x"/>. Codes are unsigned, and what is
    /// added up before <see cref="Whole"/> must have codes of at most 128 in sum for each place in a lane: then pairs of products fit 16
    /// bits (2 · 128 · 127 = 32,512).
    /// </summary>
    static abstract TSelf AddProducts(TSelf partial, TSelf codes, byte* x);

    /// <summary>Each lane's sum of products as a 32-bit integer.</summary>
    static abstract TSelf Whole(TSelf partial);

    /// <summary>The same with signed codes, added to 32-bit integers.</summary>
    static abstract TSelf AddSignedProducts(TSelf sums, TSelf codes, byte* x);

    // Integers of 32 bits.
    static abstract TSelf Broadcast(int value);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    /// <summary>A byte for each row.</summary>
    static abstract TSelf LoadBytes(byte* source);

    static abstract TSelf LoadSignedBytes(byte* source);

    // Floats.
    static abstract TSelf BroadcastFloat(float value);

    static abstract TSelf LoadFloats(float* source);

    static abstract void StoreFloats(TSelf value, float* target);

    /// <summary>A 16-bit float for each row.</summary>
    static abstract TSelf LoadHalves(byte* source);

    /// <summary>The upper half of a float for each row.</summary>
    static abstract TSelf LoadBrains(byte* source);

    static abstract TSelf ToFloats(TSelf integers);

    static abstract TSelf MultiplyFloats(TSelf left, TSelf right);

    /// <summary>left · right + sum, rounded once.</summary>
    static abstract TSelf FusedMultiplyAdd(TSelf left, TSelf right, TSelf sum);
}
