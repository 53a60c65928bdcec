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
                Gpr pointer = random.GetItems(Enum.GetValues<Gpr>(), 1)[0];
                Gpr other = random.GetItems(Enum.GetValues<Gpr>(), 1)[0];
                Gpr? index = random.Next(2) == 0 ? other : null;
                Address memory = new(pointer, offset, index, index is null ? 1 : 1 << random.Next(4));
                string at = At(memory);
                int choice = random.Next(256);
                int bits = random.Next(1, 16);

                Say($"vmovdqu64 {Z(a)},ZMMWORD PTR {at}", () => assembler.Load(a, memory));
                Say($"vmovups ZMMWORD PTR {at},{Z(a)}", () => assembler.Store(memory, a));
                Say($"vpbroadcastd {Z(a)},DWORD PTR {at}", () => assembler.BroadcastDword(a, memory));
                Say($"vpunpcklqdq {Z(a)},{Z(b)},{Z(c)}", () => assembler.JoinQuads(a, b, c));
                Say($"vpshufb {Z(a)},{Z(b)},{Z(c)}", () => assembler.LookUpBytes(a, b, c));
                Say($"vpmovzxbd {Z(a)},XMMWORD PTR {at}", () => assembler.LoadBytes(a, memory));
                Say($"vpmovsxbd {Z(a)},XMMWORD PTR {at}", () => assembler.LoadSignedBytes(a, memory));
                Say($"vpmovzxwd {Z(a)},YMMWORD PTR {at}", () => assembler.LoadWords(a, memory));
                Say($"vcvtph2ps {Z(a)},YMMWORD PTR {at}", () => assembler.LoadHalves(a, memory));
                Say($"vextractf32x8 YMMWORD PTR {at},{Z(a)},0x{choice % 2:x}", () => assembler.StoreHalf(memory, a, choice % 2));
                Say($"vextractf32x4 XMMWORD PTR {at},{Z(a)},0x{choice % 4:x}", () => assembler.StoreQuarter(memory, a, choice % 4));
                Say($"vshuff32x4 {Z(a)},{Z(b)},{Z(c)},0x{choice:x}", () => assembler.ShuffleQuarters(a, b, c, choice));
                Say($"vshufps {Z(a)},{Z(b)},{Z(c)},0x{choice:x}", () => assembler.ShuffleLanes(a, b, c, choice));
                Say($"vaddps {Z(a)},{Z(b)},{Z(c)}", () => assembler.AddFloats(a, b, c));
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
                if (pointer < Gpr.R8)
                {
                    Say($"vpbroadcastd {Z(a)},{Dword(pointer)}", () => assembler.BroadcastDword(a, pointer));
                    Say($"vpbroadcastq {Z(a)},{Quad(pointer)}", () => assembler.BroadcastQuad(a, pointer));
                    Say($"mov {Dword(pointer)},0x{bits:x}", () => assembler.Move(pointer, (uint)bits));
                    Say($"movabs {Quad(pointer)},0x{0x1122_3344_5566_7788L + bits:x}", () => assembler.Move(pointer, 0x1122_3344_5566_7788UL + (ulong)bits));
                }

                Say($"mov {Quad(other)},QWORD PTR {at}", () => assembler.Load(other, memory));
                Say($"mov QWORD PTR {at},{Quad(other)}", () => assembler.Store(memory, other));
                Say($"lea {Quad(other)},{at}", () => assembler.LoadAddress(other, memory));
                Say($"add {Quad(pointer)},0x{bits:x}", () => assembler.Add(pointer, bits));
                Say($"add {Quad(pointer)},{Quad(other)}", () => assembler.Add(pointer, other));
                Say($"dec {Quad(pointer)}", () => assembler.Decrement(pointer));
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

    [Theory]
    [InlineData(ElementType.F32, "vmovdqu64")]
    [InlineData(ElementType.F16, "vcvtph2ps")]
    [InlineData(ElementType.BF16, "vpmovzxwd")]
    public void Every_attention_kernel_widens_each_vector_once_for_all_its_queries(ElementType type, string load)
    {
        foreach (int queries in (int[])[1, 2, 4])
        {
            Check(AttentionEmitter.Scores(type, queries), vectors: AttentionEmitter.Sums / queries, sums: AttentionEmitter.Sums, queries);
            foreach (int vectors in (int[])[1, AttentionEmitter.WideStrip])
                Check(AttentionEmitter.WeightedSums(type, queries, vectors), vectors, queries * vectors, queries * vectors);
        }

        void Check(ReadOnlyMemory<byte> code, int vectors, int sums, int otherLoads)
        {
            string[] lines = Disassemble(code);
            Assert.DoesNotContain(lines, line => line.Contains("bad", StringComparison.Ordinal));
            Assert.Equal("ret", lines[^1]);
            Assert.Equal(sums, lines.Count(line => line.StartsWith("vfmadd231ps", StringComparison.Ordinal)));
            int loads = lines.Count(line => line.StartsWith(load, StringComparison.Ordinal));
            Assert.Equal(vectors, type == ElementType.F32 ? loads - otherLoads : loads);
        }
    }

    private static string Z(Zmm register) => $"zmm{register.Number}";

    private static string Dword(Gpr register) => $"e{register.ToString()[1..].ToLowerInvariant()}";

    private static string Quad(Gpr register) => register.ToString().ToLowerInvariant();

    private static string At(Address memory)
    {
        string index = memory.Index is { } register ? $"+{Quad(register)}*{memory.Scale}" : "";
        return $"[{Quad(memory.Base)}{index}{(memory.Offset < 0 ? "-" : "+")}0x{Math.Abs(memory.Offset):x}]";
    }

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
