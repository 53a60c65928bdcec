using System.Diagnostics;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Quantization;
using Pure.Engine.Tests.Quantization;

namespace Pure.Engine.Tests.Formats;

/// <summary>Each way in which one file can be bad, and the sentence for it.</summary>
public class GgufRefusalTests
{
    private const uint F32 = 0;
    private const uint Q8_0 = 8;
    private const ulong TwoTo63 = 1UL << 63;

    [Fact]
    public void The_file_that_the_others_spoil_is_good()
    {
        using var bytes = Bytes.Of(Good().Build());
        var file = GgufFile.Parse(bytes.View, "test.gguf");
        Assert.Equal(["a", "b", "c"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([[2, 4], [8], [1, 2, 1, 32]], file.Tensors.Select(tensor => tensor.Shape.ToArray()));
        Assert.Equal([32, 32, 68], file.Tensors.Select(tensor => tensor.Data.Length));
        Assert.Equal([1, 2, 3], file.Tensors.Select(tensor => tensor.Data.AsSpan(0, 1)[0]));
    }

    [Fact]
    public void Version_2_is_read() => Assert.Equal(2u, Version(2));

    [Fact]
    public void A_file_without_tensors_may_end_with_its_metadata()
    {
        using var bytes = Bytes.Of(new GgufBuilder().Key("k", "value").Build());
        Assert.Empty(GgufFile.Parse(bytes.View, "test.gguf").Tensors);
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] good = Good().Build();
        for (int length = 1; length < good.Length; length++)
            Refuse(good[..length], "test.gguf", "truncated");
    }

    [Fact]
    public void A_truncated_file_says_how_much_is_missing()
    {
        byte[] good = Good().Build();
        Refuse(good[..^10], "tensor 'c'", $"ends at byte {good.Length}", "10 bytes past the end", $"at {good.Length - 10}", "download it again");
        Refuse(good[..20], "inside the header", "byte 16 begins 8 bytes", "4 more than there are");
    }

    [Fact]
    public void Another_magic_is_shown() =>
        Refuse(new GgufBuilder { Magic = "PK\u0003\u0004" }.Build(), "begins with the bytes 504B0304", "GGUF");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(uint.MaxValue)]
    public void Another_version_is_named(uint version) =>
        Refuse(new GgufBuilder { Version = version }.Build(), $"version {version}", "versions 2 and 3 are supported");

    [Theory]
    [InlineData(0x0200_0000)]
    [InlineData(0x0300_0000)]
    public void A_big_endian_file_is_named(uint version) =>
        Refuse(new GgufBuilder { Version = version }.Build(), "big-endian", "little-endian is expected");

    [Theory]
    [InlineData(TwoTo63)]
    [InlineData(ulong.MaxValue)]
    [InlineData(TwoTo63 - 1)]
    [InlineData(1000)]
    public void Counts_beyond_the_file_are_refused(ulong count)
    {
        Refuse(Good(b => b.TensorCount = count), $"announces {count} tensors", "more than the");
        Refuse(Good(b => b.KeyCount = count), $"announces {count} metadata keys", "more than the");
        foreach (var type in new[] { GgufValueType.UInt8, GgufValueType.String, GgufValueType.Array, GgufValueType.Float64 })
        {
            byte[] array = [.. BitConverter.GetBytes((uint)type), .. BitConverter.GetBytes(count)];
            Refuse(Good(b => b.Raw("list", GgufValueType.Array, array)), "key 'list'", $"announces {count} array elements");
        }

        Refuse(Good(b => b.Raw("text", GgufValueType.String, BitConverter.GetBytes(count))), "inside key 'text'", $"{count} bytes");
    }

    [Fact]
    public void Unknown_value_types_are_refused()
    {
        Refuse(Good(b => b.Raw("k", (GgufValueType)13)), "key 'k'", "value type 13", "expected 0 to 12");
        byte[] array = [.. BitConverter.GetBytes(99u), .. BitConverter.GetBytes(0UL)];
        Refuse(Good(b => b.Raw("k", GgufValueType.Array, array)), "key 'k'", "value type 99");
    }

    [Fact]
    public void Arrays_nested_without_end_are_refused()
    {
        byte[] level = [.. BitConverter.GetBytes((uint)GgufValueType.Array), .. BitConverter.GetBytes(1UL)];
        byte[] deep = [.. Enumerable.Repeat(level, 100_000).SelectMany(bytes => bytes)];
        Refuse(Good(b => b.Raw("deep", GgufValueType.Array, deep)), "key 'deep'", "nests arrays more than 8 deep");
    }

    [Fact]
    public void Text_must_be_UTF8()
    {
        foreach (byte[] wrong in new byte[][] { [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80] })
        {
            byte[] text = [.. BitConverter.GetBytes((ulong)wrong.Length), .. wrong];
            Refuse(Good(b => b.Raw("text", GgufValueType.String, text)), "key 'text'", "not UTF-8", $"{wrong.Length} bytes at byte ");
        }
    }

    [Fact]
    public void A_boolean_is_0_or_1()
    {
        Refuse(Good(b => b.Raw("k", GgufValueType.Boolean, 2)), "key 'k'", "boolean 2", "expected 0 or 1");
        byte[] array = [.. BitConverter.GetBytes((uint)GgufValueType.Boolean), .. BitConverter.GetBytes(3UL), 0, 1, 7];
        Refuse(Good(b => b.Raw("k", GgufValueType.Array, array)), "key 'k'", "boolean 7", "expected 0 or 1");
    }

    [Fact]
    public void Keys_and_tensors_have_names_of_their_own()
    {
        Refuse(Good(b => b.Key("twice", 1).Key("twice", 1)), "key 'twice'", "stands twice");
        Refuse(Good(b => b.Key("", 1)), "metadata key 2 of 2", "has no name");
        Refuse(Good(b => b.Tensor("a", F32, [8], new byte[32])), "tensor 'a'", "stands twice");
        Refuse(Good(b => b.Tensor("", F32, [8], new byte[32])), "number 4 of 4", "has no name");
    }

    [Fact]
    public void Control_characters_in_names_do_not_reach_the_terminal() =>
        Refuse(Good(b => b.Tensor("x\u001b[2J\n", 99, [8], new byte[32])), @"tensor 'x\u001B[2J\u000A'");

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(33)]
    [InlineData(1L << 33)]
    [InlineData(-32)]
    public void An_alignment_that_is_no_power_of_two_from_8_up_is_refused(long alignment) =>
        Refuse(Good(b => b.Key("general.alignment", alignment)), "'general.alignment'", $"is {alignment}", "power of two from 8");

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(4096)]
    public void Alignments_move_the_data(int alignment)
    {
        var builder = Good();
        builder.Alignment = alignment;
        using var bytes = Bytes.Of(builder.Key("general.alignment", (uint)alignment).Build());
        Assert.Equal([1, 2, 3], GgufFile.Parse(bytes.View, "test.gguf").Tensors.Select(tensor => tensor.Data.AsSpan(0, 1)[0]));
    }

    [Fact]
    public void Dimensions_number_1_to_4_and_are_above_zero()
    {
        Refuse(Good(b => b.Tensor("t", F32, [], [])), "tensor 't'", "0 dimensions", "expected 1 to 4");
        Refuse(Good(b => b.Tensor("t", F32, [1, 1, 1, 1, 1], new byte[4])), "tensor 't'", "5 dimensions", "expected 1 to 4");
        Refuse(Good(b => b.Tensor("t", F32, [8, 0], new byte[32])), "tensor 't'", "dimension of size 0");
        Refuse(Good(b => b.Tensor("t", F32, [TwoTo63], [])), "tensor 't'", $"dimension of size {TwoTo63}");
    }

    [Fact]
    public void Sizes_that_overflow_are_refused()
    {
        foreach (ulong[] sizes in new ulong[][]
        {
            [TwoTo63 - 1], [1UL << 61], [1UL << 32, 1UL << 32], [1UL << 31, 1UL << 31, 1UL << 31, 1UL << 31], [4, TwoTo63 - 1],
        })
        {
            Refuse(Good(b => b.Tensor("t", F32, sizes, [])), "tensor 't'", "takes 2^63 bytes or more", $"[{string.Join(", ", sizes.Reverse())}]");
        }

        // Just below: no overflow, but of course not in the file.
        Refuse(Good(b => b.Tensor("t", F32, [(1UL << 61) - 1], [])), "tensor 't'", "past the end of the file");
    }

    [Fact]
    public void Rows_are_whole_blocks() =>
        Refuse(Good(b => b.Tensor("t", Q8_0, [48, 2], new byte[102])), "tensor 't'", "rows of 48", "multiple of 32", "Q8_0");

    [Theory]
    [InlineData(16, "16 (IQ2_XXS)")]
    [InlineData(40, "40 (NVFP4)")]
    [InlineData((uint)ElementType.F8_E4M3, "1000 (unknown)")]
    [InlineData(4, "4 (unknown)")]
    [InlineData(uint.MaxValue, "4294967295 (unknown)")]
    public void Unsupported_element_types_are_named_with_what_is_supported(uint type, string name) =>
        Refuse(Good(b => b.Tensor("t", type, [256], new byte[300])), "tensor 't'", $"element type {name}", "Q4_K", "Q6_K", "BF16");

    [Fact]
    public void Tensors_lie_in_the_file_aligned_and_apart()
    {
        Refuse(Good(b => b.Tensor("t", F32, [8], new byte[32], 1000 * 32)), "tensor 't'", "past the end of the file");
        Refuse(Good(b => b.Tensor("t", F32, [8], new byte[32], ulong.MaxValue - 31)), "tensor 't'", "past the end of the file");
        Refuse(Good(b => b.Tensor("t", F32, [8], new byte[32], TwoTo63)), "tensor 't'", "past the end of the file");
        Refuse(Good(b => b.Tensor("t", F32, [8], new byte[32], 136)), "tensor 't'", "byte 136", "not a multiple", "alignment 32");
        Refuse(Good(b => b.Tensor("t", F32, [8], new byte[32], 96)), "tensor 't'", "inside tensor 'c'");
        Refuse(Good(b => b.Tensor("t", F32, [8], new byte[32], 0)), "tensor 't'", "inside tensor 'a'");
    }

    [Fact]
    public void Paths_that_are_no_file_are_named()
    {
        using var folder = new TemporaryFolder();
        string empty = folder.Write("empty.gguf", []);
        Refusal.Of(() => GgufFile.Open(folder.Path), folder.Path, "directory");
        Refusal.Of(() => GgufFile.Open(Path.Combine(folder.Path, "none.gguf")), "none.gguf", "no such file");
        Refusal.Of(() => GgufFile.Open(Path.Combine(folder.Path, "none", "none.gguf")), "none.gguf", "no such file");
        Refusal.Of(() => GgufFile.Open(""), "no such file");
        Refusal.Of(() => GgufFile.Open(empty), "empty.gguf", "empty");
        Refusal.Of(() => GgufFile.Open(folder.Write("short.gguf", "GG"u8.ToArray())), "short.gguf", "truncated");
    }

    [Fact]
    public void A_file_without_permission_is_named()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("needs a system and a user that permissions bind");
            return;
        }

        using var folder = new TemporaryFolder();
        string path = folder.Write("locked.gguf", Good().Build());
        File.SetUnixFileMode(path, UnixFileMode.None);
        Refusal.Of(() => GgufFile.Open(path), "locked.gguf", "cannot be read");
    }

    [Fact]
    public void A_pipe_is_refused_without_waiting_for_a_writer()
    {
        if (!File.Exists("/usr/bin/mkfifo"))
            Assert.Skip("needs mkfifo");
        using var folder = new TemporaryFolder();
        string pipe = Path.Combine(folder.Path, "pipe.gguf");
        string link = Path.Combine(folder.Path, "link.gguf");
        using (var mkfifo = Process.Start("/usr/bin/mkfifo", pipe))
            mkfifo.WaitForExit();
        File.CreateSymbolicLink(link, pipe);
        Refusal.Of(() => GgufFile.Open(pipe), "pipe.gguf", "empty");
        Refusal.Of(() => GgufFile.Open(link), "link.gguf", "empty");
    }

    [Fact]
    public void A_link_leads_to_its_file()
    {
        using var folder = new TemporaryFolder();
        string link = Path.Combine(folder.Path, "link.gguf");
        File.CreateSymbolicLink(link, folder.Write("blob", Good().Build()));
        using var file = GgufFile.Open(link);
        Assert.Equal(3, file.Tensors.Count);
    }

    /// <summary>One key and three tensors: a [2, 4] and b [8] in F32, c [1, 2, 1, 32] in Q8_0.</summary>
    private static GgufBuilder Good() => new GgufBuilder()
        .Key("general.name", "a small file")
        .Tensor("a", F32, [4, 2], [1, .. new byte[31]])
        .Tensor("b", F32, [8], [2, .. new byte[31]])
        .Tensor("c", Q8_0, [32, 1, 2, 1], [3, .. new byte[67]]);

    private static byte[] Good(Action<GgufBuilder> spoil)
    {
        var builder = Good();
        spoil(builder);
        return builder.Build();
    }

    private static uint Version(uint version)
    {
        using var bytes = Bytes.Of(Good(b => b.Version = version));
        return GgufFile.Parse(bytes.View, "test.gguf").Version;
    }

    private static void Refuse(byte[] file, params string[] facts)
    {
        using var bytes = Bytes.Of(file);
        Refusal.Of(() => GgufFile.Parse(bytes.View, "test.gguf"), facts);
    }
}
