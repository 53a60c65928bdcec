using System.Buffers.Binary;
using System.Numerics;

namespace Pure.Engine.Kernels.Emit;

/// <summary>A 512-bit register, 0 to 31.</summary>
internal readonly record struct Zmm(int Number);

/// <summary>A 64-bit general register, by its number in the instruction set.</summary>
internal enum Gpr
{
    Rax = 0,
    Rcx = 1,
    Rdx = 2,
    Rsi = 6,
    Rdi = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
}

/// <summary>Memory at a register plus a constant, and plus 1, 2, 4 or 8 times another register.</summary>
internal readonly record struct Address(Gpr Base, int Offset, Gpr? Index = null, int Scale = 1)
{
    public static Address operator +(Address memory, int offset) => memory with { Offset = memory.Offset + offset };
}

/// <summary>
/// Machine code for x86-64, as the Intel manual encodes it (Software Developer's Manual, volume 2, sections 2.1 and 2.7): the few dozen
/// forms that kernels need. Vector instructions are EVEX-encoded, 512 bits wide, unmasked.
/// </summary>
internal sealed class Assembler
{
    private readonly List<byte> _code = [];

    private enum Map
    {
        M0F = 1,
        M0F38 = 2,
        M0F3A = 3,
    }

    private enum Prefix
    {
        None = 0,
        P66 = 1,
        PF3 = 2,
        PF2 = 3,
    }

    /// <summary>The code so far.</summary>
    internal ReadOnlyMemory<byte> Code => _code.ToArray();

    /// <summary>The next instruction's place, for <see cref="JumpIfNotZero"/>.</summary>
    internal int Here => _code.Count;

    // Moves and broadcasts.
    internal void Load(Zmm target, Address source) => Evex(Map.M0F, Prefix.PF3, wide: true, 0x6F, target, default, source, 64);

    internal void Store(Address target, Zmm source) => Evex(Map.M0F, Prefix.None, wide: false, 0x11, source, default, target, 64);

    internal void BroadcastDword(Zmm target, Address source) => Evex(Map.M0F38, Prefix.P66, wide: false, 0x58, target, default, source, 4);

    internal void BroadcastDword(Zmm target, Gpr source) => Evex(Map.M0F38, Prefix.P66, wide: false, 0x7C, target, default, new Zmm((int)source));

    internal void BroadcastQuad(Zmm target, Gpr source) => Evex(Map.M0F38, Prefix.P66, wide: true, 0x7C, target, default, new Zmm((int)source));

    /// <summary>In each 128 bits: the lower 64 of <paramref name="low"/>, then the lower 64 of <paramref name="high"/>.</summary>
    internal void JoinQuads(Zmm target, Zmm low, Zmm high) => Evex(Map.M0F, Prefix.P66, wide: true, 0x6C, target, low, high);

    /// <summary>In each 128 bits: the bytes of <paramref name="table"/> that the low four bits of <paramref name="places"/> name.</summary>
    internal void LookUpBytes(Zmm target, Zmm table, Zmm places) => Evex(Map.M0F38, Prefix.P66, wide: false, 0x00, target, table, places);

    // Widening loads: sixteen lanes of 32 bits.
    internal void LoadBytes(Zmm target, Address source) => Evex(Map.M0F38, Prefix.P66, wide: false, 0x31, target, default, source, 16);

    internal void LoadSignedBytes(Zmm target, Address source) => Evex(Map.M0F38, Prefix.P66, wide: false, 0x21, target, default, source, 16);

    internal void LoadWords(Zmm target, Address source) => Evex(Map.M0F38, Prefix.P66, wide: false, 0x33, target, default, source, 32);

    internal void LoadHalves(Zmm target, Address source) => Evex(Map.M0F38, Prefix.P66, wide: false, 0x13, target, default, source, 32);

    // Parts of a register.

    /// <summary>Stores eight lanes: the lower or the upper half.</summary>
    internal void StoreHalf(Address target, Zmm source, int half) =>
        Evex(Map.M0F3A, Prefix.P66, wide: false, 0x1B, source, default, target, 32, immediate: half);

    /// <summary>Stores four lanes: quarter 0 to 3.</summary>
    internal void StoreQuarter(Address target, Zmm source, int quarter) =>
        Evex(Map.M0F3A, Prefix.P66, wide: false, 0x19, source, default, target, 16, immediate: quarter);

    /// <summary>Two quarters of the left, then two of the right; two bits of <paramref name="choice"/> name each, lowest first.</summary>
    internal void ShuffleQuarters(Zmm target, Zmm left, Zmm right, int choice) =>
        Evex(Map.M0F3A, Prefix.P66, wide: false, 0x23, target, left, right, choice);

    /// <summary>In every quarter two lanes of the left, then two of the right; two bits of <paramref name="choice"/> name each.</summary>
    internal void ShuffleLanes(Zmm target, Zmm left, Zmm right, int choice) =>
        Evex(Map.M0F, Prefix.None, wide: false, 0xC6, target, left, right, choice);

    // Bits.
    internal void And(Zmm target, Zmm left, Zmm right) => Evex(Map.M0F, Prefix.P66, wide: false, 0xDB, target, left, right);

    internal void Or(Zmm target, Zmm left, Zmm right) => Evex(Map.M0F, Prefix.P66, wide: false, 0xEB, target, left, right);

    internal void Xor(Zmm target, Zmm left, Zmm right) => Evex(Map.M0F, Prefix.P66, wide: false, 0xEF, target, left, right);

    /// <summary>Sixteen-bit lanes to the right.</summary>
    internal void ShiftRightWords(Zmm target, Zmm source, int bits) =>
        Evex(Map.M0F, Prefix.P66, wide: false, 0x71, new Zmm(2), target, source, bits);

    /// <summary>Sixteen-bit lanes to the left.</summary>
    internal void ShiftLeftWords(Zmm target, Zmm source, int bits) =>
        Evex(Map.M0F, Prefix.P66, wide: false, 0x71, new Zmm(6), target, source, bits);

    /// <summary>32-bit lanes to the left.</summary>
    internal void ShiftLeft(Zmm target, Zmm source, int bits) =>
        Evex(Map.M0F, Prefix.P66, wide: false, 0x72, new Zmm(6), target, source, bits);

    /// <summary>A broadcast 32-bit number, to the left.</summary>
    internal void ShiftLeftBroadcast(Zmm target, Address source, int bits) =>
        Evex(Map.M0F, Prefix.P66, wide: false, 0x72, new Zmm(6), target, source, 4, broadcast: true, bits);

    // Integers.

    /// <summary>VNNI: sum += four products of unsigned bytes of <paramref name="codes"/> with the broadcast signed bytes, per lane.</summary>
    internal void DotBytes(Zmm sum, Zmm codes, Address signed) =>
        Evex(Map.M0F38, Prefix.P66, wide: false, 0x50, sum, codes, signed, 4, broadcast: true);

    internal void MultiplyIntegers(Zmm target, Zmm left, Zmm right) => Evex(Map.M0F38, Prefix.P66, wide: false, 0x40, target, left, right);

    internal void MultiplyIntegersBroadcast(Zmm target, Zmm left, Address right) =>
        Evex(Map.M0F38, Prefix.P66, wide: false, 0x40, target, left, right, 4, broadcast: true);

    internal void AddIntegers(Zmm target, Zmm left, Zmm right) => Evex(Map.M0F, Prefix.P66, wide: false, 0xFE, target, left, right);

    // Floats.
    internal void ToFloats(Zmm target, Zmm integers) => Evex(Map.M0F, Prefix.None, wide: false, 0x5B, target, default, integers);

    internal void ToFloatsBroadcast(Zmm target, Address integer) =>
        Evex(Map.M0F, Prefix.None, wide: false, 0x5B, target, default, integer, 4, broadcast: true);

    internal void AddFloats(Zmm target, Zmm left, Zmm right) => Evex(Map.M0F, Prefix.None, wide: false, 0x58, target, left, right);

    internal void Multiply(Zmm target, Zmm left, Zmm right) => Evex(Map.M0F, Prefix.None, wide: false, 0x59, target, left, right);

    internal void MultiplyBroadcast(Zmm target, Zmm left, Address right) =>
        Evex(Map.M0F, Prefix.None, wide: false, 0x59, target, left, right, 4, broadcast: true);

    /// <summary>sum = left · right + sum, rounded once.</summary>
    internal void MultiplyAdd(Zmm sum, Zmm left, Zmm right) => Evex(Map.M0F38, Prefix.P66, wide: false, 0xB8, sum, left, right);

    // General registers and flow.
    internal void Move(Gpr target, uint value)
    {
        _code.Add((byte)(0xB8 + (int)target));
        Dword((int)value);
    }

    internal void Move(Gpr target, ulong value)
    {
        _code.AddRange([0x48, (byte)(0xB8 + (int)target)]);
        Dword((int)value);
        Dword((int)(value >> 32));
    }

    internal void Load(Gpr target, Address source) => Quad(0x8B, (int)target, source);

    internal void Store(Address target, Gpr source) => Quad(0x89, (int)source, target);

    /// <summary>The address itself.</summary>
    internal void LoadAddress(Gpr target, Address source) => Quad(0x8D, (int)target, source);

    internal void Add(Gpr target, int value)
    {
        Quad(0x81, 0, target);
        Dword(value);
    }

    internal void Add(Gpr target, Gpr value) => Quad(0x01, (int)value, target);

    internal void Decrement(Gpr target) => Quad(0xFF, 1, target);

    internal void JumpIfNotZero(int target)
    {
        _code.AddRange([0x0F, 0x85]);
        Dword(target - (_code.Count + 4));
    }

    /// <summary>Into all caches.</summary>
    internal void Prefetch(Address source) => Prefetch(1, source);

    /// <summary>Into all caches but the nearest.</summary>
    internal void PrefetchFar(Address source) => Prefetch(2, source);

    private void Prefetch(int hint, Address source)
    {
        if (source.Base >= Gpr.R8 || source.Index >= Gpr.R8)
            _code.Add(Rex(wide: false, 0, source));
        _code.AddRange([0x0F, 0x18]);
        Memory(hint, source, unit: null);
    }

    internal void ClearUpperHalves() => _code.AddRange([0xC5, 0xF8, 0x77]);

    internal void Return() => _code.Add(0xC3);

    private void Evex(Map map, Prefix prefix, bool wide, byte opcode, Zmm reg, Zmm second, Zmm rm, int? immediate = null)
    {
        EvexPrefix(map, prefix, wide, reg.Number, second.Number, rm.Number >> 4, rm.Number >> 3, broadcast: false);
        _code.Add(opcode);
        _code.Add((byte)(0xC0 | ((reg.Number & 7) << 3) | (rm.Number & 7)));
        if (immediate is { } value)
            _code.Add((byte)value);
    }

    /// <param name="map">Opcode map.</param>
    /// <param name="prefix">The legacy prefix that the instruction implies.</param>
    /// <param name="wide">EVEX.W.</param>
    /// <param name="opcode">The opcode byte.</param>
    /// <param name="reg">In ModRM.reg.</param>
    /// <param name="second">In EVEX.vvvv.</param>
    /// <param name="memory">In ModRM.rm.</param>
    /// <param name="unit">Bytes read, by which a short displacement is scaled (disp8·N).</param>
    /// <param name="broadcast">One element for all lanes.</param>
    /// <param name="immediate">Last byte.</param>
    private void Evex(
        Map map, Prefix prefix, bool wide, byte opcode, Zmm reg, Zmm second, Address memory, int unit, bool broadcast = false, int? immediate = null)
    {
        EvexPrefix(map, prefix, wide, reg.Number, second.Number, (int)(memory.Index ?? 0) >> 3, (int)memory.Base >> 3, broadcast);
        _code.Add(opcode);
        Memory(reg.Number, memory, unit);
        if (immediate is { } value)
            _code.Add((byte)value);
    }

    // 62 | R X B R' 0 m m m | W v v v v 1 p p | z L' L b V' a a a, the register bits inverted. X and B are bits 4 and 3 of a register in
    // ModRM.rm, or bit 3 of an index and of a base.
    private void EvexPrefix(Map map, Prefix prefix, bool wide, int reg, int second, int x, int b, bool broadcast)
    {
        int r = (~reg >> 3) & 1;
        int r2 = (~reg >> 4) & 1;
        _code.Add(0x62);
        _code.Add((byte)((r << 7) | ((~x & 1) << 6) | ((~b & 1) << 5) | (r2 << 4) | (int)map));
        _code.Add((byte)((wide ? 0x80 : 0) | ((~second & 0xF) << 3) | 0x04 | (int)prefix));
        _code.Add((byte)(0x40 | (broadcast ? 0x10 : 0) | (((~second >> 4) & 1) << 3)));
    }

    /// <summary>ModRM, SIB and displacement; the latter as one byte, in units, where <paramref name="unit"/> says what they are and it fits.</summary>
    private void Memory(int reg, Address memory, int? unit)
    {
        (int quotient, int rest) = Math.DivRem(memory.Offset, unit ?? 1);
        bool isShort = unit is not null && rest == 0 && quotient is >= -128 and <= 127;
        int mode = (isShort ? 0x40 : 0x80) | ((reg & 7) << 3);
        if (memory.Index is { } index)
            _code.AddRange([(byte)(mode | 4), (byte)((BitOperations.Log2((uint)memory.Scale) << 6) | (((int)index & 7) << 3) | ((int)memory.Base & 7))]);
        else
            _code.Add((byte)(mode | ((int)memory.Base & 7)));
        if (isShort)
            _code.Add((byte)quotient);
        else
            Dword(memory.Offset);
    }

    private static byte Rex(bool wide, int reg, Address memory) =>
        (byte)(0x40 | (wide ? 8 : 0) | (reg >> 3 << 2) | ((int)(memory.Index ?? 0) >> 3 << 1) | ((int)memory.Base >> 3));

    /// <summary>A 64-bit instruction of a register, or an opcode's extension, and memory.</summary>
    private void Quad(byte opcode, int reg, Address memory)
    {
        _code.AddRange([Rex(wide: true, reg, memory), opcode]);
        Memory(reg, memory, unit: null);
    }

    /// <summary>A 64-bit instruction of a register, or an opcode's extension, and a register.</summary>
    private void Quad(byte opcode, int reg, Gpr rm) =>
        _code.AddRange([Rex(wide: true, reg, new Address(rm, 0)), opcode, (byte)(0xC0 | ((reg & 7) << 3) | ((int)rm & 7))]);

    private void Dword(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        foreach (byte one in bytes)
            _code.Add(one);
    }
}
