using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Pure.Engine.Kernels.Emit;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Kernels;

/// <summary>Emitted machine code says what it should, by the word of an independent disassembler.</summary>
public sealed partial class AssemblerTests
{
    private static readonly int[] Registers = [0, 7, 8, 15, 16, 23, 24, 31];
    private static readonly int[] Offsets = [0, 4, 16, 32, 64, 508, 512, 2032, 4064, 8128, 8192, 100_001, -4, -64, -8192, -8256];

    [Fact]
    public void Every_instruction_disassembles_to_itself()
    {
        var assembler = new Assembler();
        var expected = new List<string>();
        var random = new Random(5);
        foreach (int offset in Offsets)
        {
            foreach (int register in Registers)
            {
                var a = new Zmm(register);
                var b = new Zmm(Registers[random.Next(Registers.Length)]);
                var c = new Zmm(Registers[random.Next(Registers.Length)]);
                Gpr pointer = Enum.GetValues<Gpr>()[random.Next(5)];
                var memory = new Address(pointer, offset);
                string at = At(pointer, offset);
                int bits = random.Next(1, 16);

                Say($"vmovdqu64 {Z(a)},ZMMWORD PTR {at}", () => assembler.Load(a, memory));
                Say($"vmovups ZMMWORD PTR {at},{Z(a)}", () => assembler.Store(memory, a));
                Say($"vpbroadcastd {Z(a)},DWORD PTR {at}", () => assembler.BroadcastDword(a, memory));
                Say($"vpbroadcastd {Z(a)},{Dword(pointer)}", () => assembler.BroadcastDword(a, pointer));
                Say($"vpbroadcastq {Z(a)},{pointer.ToString().ToLowerInvariant()}", () => assembler.BroadcastQuad(a, pointer));
                Say($"vpunpcklqdq {Z(a)},{Z(b)},{Z(c)}", () => assembler.JoinQuads(a, b, c));
                Say($"vpshufb {Z(a)},{Z(b)},{Z(c)}", () => assembler.LookUpBytes(a, b, c));
                Say($"vpmovzxbd {Z(a)},XMMWORD PTR {at}", () => assembler.LoadBytes(a, memory));
                Say($"vpmovsxbd {Z(a)},XMMWORD PTR {at}", () => assembler.LoadSignedBytes(a, memory));
                Say($"vpmovzxwd {Z(a)},YMMWORD PTR {at}", () => assembler.LoadWords(a, memory));
                Say($"vcvtph2ps {Z(a)},YMMWORD PTR {at}", () => assembler.LoadHalves(a, memory));
                Say($"vpandd {Z(a)},{Z(b)},{Z(c)}", () => assembler.And(a, b, c));
                Say($"vpord {Z(a)},{Z(b)},{Z(c)}", () => assembler.Or(a, b, c));
                Say($"vpxord {Z(a)},{Z(b)},{Z(c)}", () => assembler.Xor(a, b, c));
                Say($"vpsrlw {Z(a)},{Z(b)},0x{bits:x}", () => assembler.ShiftRightWords(a, b, bits));
                Say($"vpsllw {Z(a)},{Z(b)},0x{bits:x}", () => assembler.ShiftLeftWords(a, b, bits));
                Say($"vpslld {Z(a)},{Z(b)},0x{bits:x}", () => assembler.ShiftLeft(a, b, bits));
                Say($"vpslld {Z(a)},DWORD BCST {at},0x{bits:x}", () => assembler.ShiftLeftBroadcast(a, memory, bits));
                Say($"vpdpbusd {Z(a)},{Z(b)},DWORD BCST {at}", () => assembler.DotBytes(a, b, memory));
                Say($"vpmulld {Z(a)},{Z(b)},{Z(c)}", () => assembler.MultiplyIntegers(a, b, c));
                Say($"vpmulld {Z(a)},{Z(b)},DWORD BCST {at}", () => assembler.MultiplyIntegersBroadcast(a, b, memory));
                Say($"vpaddd {Z(a)},{Z(b)},{Z(c)}", () => assembler.AddIntegers(a, b, c));
                Say($"vcvtdq2ps {Z(a)},{Z(b)}", () => assembler.ToFloats(a, b));
                Say($"vcvtdq2ps {Z(a)},DWORD BCST {at}", () => assembler.ToFloatsBroadcast(a, memory));
                Say($"vmulps {Z(a)},{Z(b)},{Z(c)}", () => assembler.Multiply(a, b, c));
                Say($"vmulps {Z(a)},{Z(b)},DWORD BCST {at}", () => assembler.MultiplyBroadcast(a, b, memory));
                Say($"vfmadd231ps {Z(a)},{Z(b)},{Z(c)}", () => assembler.MultiplyAdd(a, b, c));
                Say($"mov {Dword(pointer)},0x{bits:x}", () => assembler.Move(pointer, (uint)bits));
                Say($"movabs {pointer.ToString().ToLowerInvariant()},0x{0x1122_3344_5566_7788L + bits:x}", () => assembler.Move(pointer, 0x1122_3344_5566_7788UL + (ulong)bits));
                Say($"add {pointer.ToString().ToLowerInvariant()},0x{bits:x}", () => assembler.Add(pointer, bits));
                Say($"dec {pointer.ToString().ToLowerInvariant()}", () => assembler.Decrement(pointer));
                Say($"prefetcht0 BYTE PTR {at}", () => assembler.Prefetch(memory));
            }
        }

        Say("vzeroupper", assembler.ClearUpperHalves);
        Say("jne 0x0", () => assembler.JumpIfNotZero(0));
        Say("ret", assembler.Return);
        Assert.Equal(expected, Disassemble(assembler.Code));

        void Say(string text, Action emit)
        {
            expected.Add(text);
            emit();
        }
    }

    [Fact]
    public void Every_kernel_is_whole_instructions_that_end_with_a_return()
    {
        foreach (ElementType type in Enum.GetValues<ElementType>().Where(PackedMatrix.Has))
        {
            for (int width = 1; width <= DotKernelEmitter.MaxColumns(type); width++)
            {
                string[] lines = Disassemble(DotKernelEmitter.Emit(type, 0, width, width));
                Assert.DoesNotContain(lines, line => line.Contains("bad", StringComparison.Ordinal));
                Assert.Equal("ret", lines[^1]);
                Assert.Equal(8 * width * PackedFormat.Find(type)!.Units, lines.Count(line => line.StartsWith("vpdpbusd", StringComparison.Ordinal)));
            }
        }
    }

    private static string Z(Zmm register) => $"zmm{register.Number}";

    private static string Dword(Gpr register) => $"e{register.ToString()[1..].ToLowerInvariant()}";

    private static string At(Gpr pointer, int offset) =>
        $"[{pointer.ToString().ToLowerInvariant()}{(offset < 0 ? "-" : "+")}0x{Math.Abs(offset):x}]";

    private static string[] Disassemble(ReadOnlyMemory<byte> code)
    {
        string file = Path.Combine(Path.GetTempPath(), $"kernel-{Guid.NewGuid():N}.bin");
        File.WriteAllBytes(file, code.ToArray());
        try
        {
            var start = new ProcessStartInfo(
                "objdump", ["-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", file])
            {
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            string text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return [.. Instruction().Matches(text).Select(match => Spaces().Replace(match.Groups[1].Value, " ").Trim())];
        }
        catch (Win32Exception)
        {
            Assert.Skip("there is no objdump here (Debian: binutils) to disassemble emitted code");
            throw;
        }
        finally
        {
            File.Delete(file);
        }
    }

    [GeneratedRegex(@"^ +[0-9a-f]+:\t(.*)$", RegexOptions.Multiline)]
    private static partial Regex Instruction();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
