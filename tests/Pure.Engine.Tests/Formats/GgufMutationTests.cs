using System.Buffers.Binary;
using System.Text.RegularExpressions;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Formats;

/// <summary>
/// Damaged files: whatever the bytes, the reader answers with a model or with one sentence. A failure names its seed. More inputs
/// than the usual few thousand: <c>PURE_MUTATIONS=200000</c> before the test command.
/// </summary>
public partial class GgufMutationTests(ITestOutputHelper output)
{
    private const int UsualCount = 5_000;

    private static readonly ulong[] Extremes =
    [
        0, 1, 2, 3, 7, 8, 9, 12, 13, 31, 32, 33, 255, 256, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000,
        1UL << 59, 1UL << 61, (1UL << 62) - 1, (1UL << 63) - 1, 1UL << 63, ulong.MaxValue - 31, ulong.MaxValue,
    ];

    [Fact]
    public void Every_damaged_file_is_read_or_refused_in_one_sentence()
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("PURE_MUTATIONS"), out int wished) ? wished : UsualCount;
        byte[][] seeds = [.. Seeds().Select(builder => builder.Build())];
        int read = 0;
        var refusals = new Dictionary<string, int>();
        for (int seed = 0; seed < count; seed++)
        {
            byte[] input = Mutate(seeds, new Random(seed));
            try
            {
                using var bytes = Quantization.Bytes.Of(input);
                Use(bytes.View);
                read++;
            }
            catch (ModelFormatException refusal)
            {
                Refusal.Check(refusal.Message, "test.gguf");
                string kind = Particulars().Replace(refusal.Message, "…");
                refusals[kind] = refusals.GetValueOrDefault(kind) + 1;
            }
            catch (Exception other)
            {
                throw new InvalidOperationException($"Seed {seed}, {Convert.ToHexString(input)}", other);
            }
        }

        output.WriteLine($"{count} inputs, {read} read, {count - read} refused in {refusals.Count} ways");
        foreach (var (kind, times) in refusals.OrderByDescending(pair => pair.Value).Take(60))
            output.WriteLine($"{times,8} {kind}");

        // The mutations must reach past the first checks, and some must be harmless.
        Assert.InRange(read, count / 100, count * 9 / 10);
        Assert.True(refusals.Count > 30, $"Only {refusals.Count} kinds of refusal were reached.");
    }

    /// <summary>Small files that between them have every metadata type, nested arrays, every element type and a split.</summary>
    internal static IEnumerable<GgufBuilder> Seeds()
    {
        yield return new GgufBuilder()
            .Key("general.architecture", "llama").Key("general.alignment", 32u).Key("u8", (byte)1).Key("i8", (sbyte)-1)
            .Key("u16", (ushort)1).Key("i16", (short)-1).Key("i32", -1).Key("f32", 1f).Key("yes", true).Key("u64", 1UL).Key("i64", -1L)
            .Key("f64", 1.0)
            .Tensor("a", (uint)ElementType.F32, [4, 2], new byte[32])
            .Tensor("b", (uint)ElementType.F16, [8], new byte[16])
            .Tensor("c", (uint)ElementType.BF16, [2, 2, 2, 2], new byte[32]);
        yield return new GgufBuilder { Version = 2 }
            .List("strings", "one", "", "drei").List("numbers", 1, 2, 3).List("floats", 1f, 2f).List("booleans", true, false)
            .List<string[][]>("nested", [["a", "bc"], []], [], [["d"]]).List<byte>("none")
            .Tensor("q8", (uint)ElementType.Q8_0, [32, 2], new byte[68])
            .Tensor("q4", (uint)ElementType.Q4_0, [64], new byte[36]);
        yield return new GgufBuilder { Alignment = 64 }
            .Key("general.alignment", 64L).Key("split.no", (ushort)0).Key("split.count", (ushort)1).Key("split.tensors.count", 2)
            .Tensor("q4k", (uint)ElementType.Q4_K, [256], new byte[144])
            .Tensor("q6k", (uint)ElementType.Q6_K, [256, 1], new byte[210]);
        yield return new GgufBuilder().Key("general.name", "a vocabulary").List("tokenizer.ggml.tokens", "a", "b", "ab");
    }

    /// <summary>Reads the file and then everything in it that a caller could ask for.</summary>
    private static void Use(NativeView view)
    {
        using var file = GgufFile.Parse(view, "test.gguf");
        foreach (string key in file.Metadata.Keys)
        {
            object value = file.Metadata[key];
            Assert.NotNull(value.ToString());
            if (value is GgufArray array)
                Decode(array);
        }

        foreach (var tensor in file.Tensors)
        {
            Assert.True(file.TryGetTensor(tensor.Name, out _));
            Assert.InRange(tensor.Count, 1, view.Length * 2);
            ElementFormat.Of(tensor.Type).Dequantize(tensor.Data, new float[tensor.Count]);
        }
    }

    private static void Decode(GgufArray array)
    {
        switch (array.ElementType)
        {
            case GgufValueType.String:
                Assert.Equal(array.Count, array.ToStrings().Length);
                break;
            case GgufValueType.Boolean:
                Assert.Equal(array.Count, array.ToBooleans().Length);
                break;
            case GgufValueType.Float32 or GgufValueType.Float64:
                Assert.Equal(array.Count, array.ToFloats().Length);
                break;
            case GgufValueType.Array:
                foreach (var inner in array.ToArrays())
                    Decode(inner);
                break;
            default:
                Assert.Equal(array.Count, array.ToIntegers().Length);
                break;
        }
    }

    /// <summary>What differs between two refusals of one kind: names and numbers.</summary>
    [GeneratedRegex(@"'.*'|\b[0-9A-F]{8}\b|[0-9]+")]
    private static partial Regex Particulars();

    private static byte[] Mutate(byte[][] seeds, Random random)
    {
        byte[] file = [.. seeds[random.Next(seeds.Length)]];
        for (int left = random.Next(1, 4); left > 0; left--)
        {
            int at = random.Next(file.Length);
            switch (random.Next(8))
            {
                case 0:
                    file[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    file[at] = (byte)random.Next(256);
                    break;
                case 2 or 3 when at + 8 <= file.Length:
                    BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at), Extreme(file, random));
                    break;
                case 4 when at + 4 <= file.Length:
                    BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), (uint)Extreme(file, random));
                    break;
                case 5:
                    file = file[..Math.Max(1, at)];
                    break;
                case 6:
                    // Head of one file, tail of another.
                    byte[] other = seeds[random.Next(seeds.Length)];
                    file = [.. file[..at], .. other[random.Next(other.Length)..], 0];
                    break;
                default:
                    // A part repeated or left out.
                    int from = random.Next(file.Length);
                    file = [.. file[..Math.Max(1, at)], .. file[from..]];
                    break;
            }
        }

        return file;
    }

    private static ulong Extreme(byte[] file, Random random) => random.Next(3) switch
    {
        0 => (ulong)(file.Length + random.Next(-40, 40)),
        1 => (ulong)random.Next(64),
        _ => Extremes[random.Next(Extremes.Length)],
    };
}
