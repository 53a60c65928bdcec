using System.Buffers.Binary;

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
}

/// <summary>Memory at a register plus a constant.</summary>
internal readonly record struct Address(Gpr Base, int Offset)
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

    internal void Add(Gpr target, int value)
    {
        _code.AddRange([0x48, 0x81, (byte)(0xC0 | (int)target)]);
        Dword(value);
    }

    internal void Decrement(Gpr target) => _code.AddRange([0x48, 0xFF, (byte)(0xC8 | (int)target)]);

    internal void JumpIfNotZero(int target)
    {
        _code.AddRange([0x0F, 0x85]);
        Dword(target - (_code.Count + 4));
    }

    /// <summary>Into all caches.</summary>
    internal void Prefetch(Address source)
    {
        _code.AddRange([0x0F, 0x18, (byte)(0x80 | (1 << 3) | (int)source.Base)]);
        Dword(source.Offset);
    }

    internal void ClearUpperHalves() => _code.AddRange([0xC5, 0xF8, 0x77]);

    internal void Return() => _code.Add(0xC3);

    private void Evex(Map map, Prefix prefix, bool wide, byte opcode, Zmm reg, Zmm second, Zmm rm, int? immediate = null)
    {
        EvexPrefix(map, prefix, wide, reg.Number, second.Number, rmHigh: rm.Number, broadcast: false);
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
        EvexPrefix(map, prefix, wide, reg.Number, second.Number, rmHigh: 0, broadcast);
        _code.Add(opcode);
        (int quotient, int rest) = Math.DivRem(memory.Offset, unit);
        bool isShort = rest == 0 && quotient is >= -128 and <= 127;
        _code.Add((byte)((isShort ? 0x40 : 0x80) | ((reg.Number & 7) << 3) | (int)memory.Base));
        if (isShort)
            _code.Add((byte)quotient);
        else
            Dword(memory.Offset);
        if (immediate is { } value)
            _code.Add((byte)value);
    }

    // 62 | R X B R' 0 m m m | W v v v v 1 p p | z L' L b V' a a a, the register bits inverted. X and B are bits 4 and 3 of a register
    // in ModRM.rm; base registers above rdi are not used.
    private void EvexPrefix(Map map, Prefix prefix, bool wide, int reg, int second, int rmHigh, bool broadcast)
    {
        int r = (~reg >> 3) & 1;
        int r2 = (~reg >> 4) & 1;
        int x = (~rmHigh >> 4) & 1;
        int b = (~rmHigh >> 3) & 1;
        _code.Add(0x62);
        _code.Add((byte)((r << 7) | (x << 6) | (b << 5) | (r2 << 4) | (int)map));
        _code.Add((byte)((wide ? 0x80 : 0) | ((~second & 0xF) << 3) | 0x04 | (int)prefix));
        _code.Add((byte)(0x40 | (broadcast ? 0x10 : 0) | (((~second >> 4) & 1) << 3)));
    }

    private void Dword(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        foreach (byte one in bytes)
            _code.Add(one);
    }
}
