using Pure.Engine.Formats;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Models;

/// <summary>Rearranged weights that come from a file are those that would be made: whatever happened to the file.</summary>
public sealed class RepackCacheTests : IDisposable
{
    private const int LayoutByte = 20;
    private const int SourceByte = 60;
    private const int RowsByte = 12;
    private const int ChecksumByte = 96;

    private readonly string _folder = Directory.CreateTempSubdirectory("pure").FullName;
    private readonly List<string> _warnings = [];

    public RepackCacheTests() => Assert.SkipUnless(
        KernelSet.Select(null, true).ReadsPacked, "Nothing is rearranged for this instruction set.");

    [Theory]
    [InlineData("llama-q256-Q4_0")]
    [InlineData("llama-q256-Q4_K_M")]
    [InlineData("qwen3moe-q256-Q4_K_M")]
    [InlineData("deepseek2-v3-q256-Q6_K")]
    public void Weights_from_the_cache_give_the_same_bits_at_every_load(string name)
    {
        Golden golden = Golden.Open(name);
        string model = Copy(golden);
        float[] expected = Logits(model, golden, new());
        for (int load = 0; load < 3; load++)
        {
            Assert.Equal(expected, Logits(model, golden, Cached()));
            Assert.True(File.Exists(model + RepackCache.Suffix));
        }

        Assert.Equal(expected, Logits(model, golden, Cached(new() { Map = false })));
        Assert.Equal(expected, Logits(model, golden, Cached(new() { Lock = true, Populate = true })));
        Assert.Empty(_warnings);
    }

    /// <summary>Where the model's file is wiped after loading, rearranged weights can have come from the cache only.</summary>
    [Fact]
    public void The_second_load_reads_no_weight_from_the_model_that_the_cache_has()
    {
        Golden golden = Golden.Open("llama-q256-Q8_0");
        string model = Copy(golden);
        float[] expected = Logits(model, golden, Cached());
        DateTime written = File.GetLastWriteTimeUtc(model + RepackCache.Suffix);
        using Model loaded = Model.Load(model, Cached());
        Tensor[] cached = [.. loaded.File.Tensors.Where(tensor => tensor.Name.StartsWith("blk.", StringComparison.Ordinal) && tensor.Type == ElementType.Q8_0)];
        Assert.NotEmpty(cached);
        foreach (Tensor tensor in cached)
            Wipe(model, tensor);
        Assert.Equal(expected, Run.Logits(loaded, golden.Tokens));
        Assert.Equal(written, File.GetLastWriteTimeUtc(model + RepackCache.Suffix));
        Assert.Empty(_warnings);
    }

    [Theory]
    [InlineData(0, "no cache of rearranged weights of version 1")]
    [InlineData(8, "no cache of rearranged weights of version 1")]
    [InlineData(RowsByte, "in groups of 16 rows")]
    [InlineData(LayoutByte, "rearranged in another way, by another version of Pure")]
    [InlineData(SourceByte, "rearranged from another file than the model's")]
    [InlineData(ChecksumByte, "the file is damaged")]
    public void A_header_that_does_not_fit_is_made_anew_with_one_warning(int offset, string reason)
    {
        Golden golden = Golden.Open("llama-q256-Q4_0");
        string model = Copy(golden);
        float[] expected = Logits(model, golden, Cached());
        byte[] whole = File.ReadAllBytes(model + RepackCache.Suffix);
        Flip(model + RepackCache.Suffix, offset);
        Assert.Equal(expected, Logits(model, golden, Cached()));
        Assert.Contains(reason, Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Equal(whole, File.ReadAllBytes(model + RepackCache.Suffix));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(5_000)]
    [InlineData(-4_096)]
    [InlineData(-1)]
    public void A_cache_that_was_cut_is_made_anew_with_one_warning(int length)
    {
        Golden golden = Golden.Open("llama-q256-Q4_0");
        string model = Copy(golden);
        float[] expected = Logits(model, golden, Cached());
        byte[] whole = File.ReadAllBytes(model + RepackCache.Suffix);
        File.WriteAllBytes(model + RepackCache.Suffix, whole[..(length < 0 ? whole.Length + length : length)]);
        Assert.Equal(expected, Logits(model, golden, Cached()));
        Assert.EndsWith("; the weights are rearranged and the cache is made anew.", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Equal(whole, File.ReadAllBytes(model + RepackCache.Suffix));
    }

    /// <summary>One bit of every part of the weights in turn: none may reach a product.</summary>
    [Fact]
    public void A_damaged_weight_is_rearranged_again()
    {
        Golden golden = Golden.Open("llama-q256-Q4_0");
        string model = Copy(golden);
        float[] expected = Logits(model, golden, Cached());
        byte[] whole = File.ReadAllBytes(model + RepackCache.Suffix);
        int found = 0;
        for (int offset = 4_096; offset < whole.Length; offset += whole.Length / 12)
        {
            _warnings.Clear();
            File.WriteAllBytes(model + RepackCache.Suffix, whole);
            Flip(model + RepackCache.Suffix, offset);
            Assert.Equal(expected, Logits(model, golden, Cached(new() { Map = offset % 2 == 0 })));
            bool isPadding = _warnings.Count == 0;
            Assert.Equal(isPadding, File.Exists(model + RepackCache.Suffix));
            if (isPadding)
                continue;
            Assert.EndsWith("and the next load makes the cache anew.", Assert.Single(_warnings), StringComparison.Ordinal);
            found++;
        }

        Assert.InRange(found, 8, 12);
    }

    [Fact]
    public void A_changed_model_is_not_read_from_an_old_cache()
    {
        Golden golden = Golden.Open("llama-q256-Q4_0");
        string model = Copy(golden);
        Logits(model, golden, Cached());
        using (Model opened = Model.Load(model))
            Wipe(model, opened.File.Tensors.First(tensor => tensor.Name == "blk.0.attn_q.weight"));
        File.SetLastWriteTimeUtc(model, DateTime.UtcNow.AddSeconds(5));
        float[] changed = Logits(model, golden, new());
        Assert.Equal(changed, Logits(model, golden, Cached()));
        Assert.Contains("or from an earlier state of it", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Equal(changed, Logits(model, golden, Cached()));
        Assert.Single(_warnings);
    }

    [Fact]
    public void Models_of_one_name_have_caches_of_their_own_in_a_folder()
    {
        Golden golden = Golden.Open("llama-q256-Q4_0");
        string caches = Directory.CreateDirectory(Path.Combine(_folder, "caches")).FullName;
        foreach (string place in (string[])["a", "b", "a"])
        {
            string model = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, place)).FullName, "model.gguf");
            if (!File.Exists(model))
                File.Copy(golden.ModelPath, model);
            Logits(model, golden, Cached(new() { RepackCache = caches }));
            Assert.True(File.Exists(RepackCache.PathOf(model, caches)));
        }

        Assert.Equal(2, Directory.GetFiles(caches).Length);
        Assert.Empty(_warnings);
    }

    /// <summary>A folder that takes no file, as a full disk does not.</summary>
    [Fact]
    public void Where_nothing_can_be_written_the_model_runs_with_one_warning_and_leaves_no_file()
    {
        Golden golden = Golden.Open("llama-q256-Q4_0");
        string model = Copy(golden);
        string missing = Path.Combine(_folder, "missing");
        Assert.Equal(Logits(model, golden, new()), Logits(model, golden, Cached(new() { RepackCache = missing })));
        Assert.Contains("the rearranged weights are not kept", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Equal([model], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_model_without_rearranged_weights_says_that_none_are_kept()
    {
        Golden golden = Golden.Open("llama-gqa");
        string model = Copy(golden);
        Logits(model, golden, Cached());
        Assert.Contains("no rearranged weights are kept", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Equal([model], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Experts_that_are_read_when_needed_go_without_a_cache()
    {
        Golden golden = Golden.Open("qwen3moe-q256-Q4_K_M");
        string model = Copy(golden);
        Assert.Equal(
            Logits(model, golden, new()), Logits(model, golden, Cached() with { MemoryLimit = 1L << 40, ExpertSlots = 2 }));
        Assert.Contains("experts are read from the model's file when needed", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    private string Copy(Golden golden)
    {
        string path = Path.Combine(_folder, "model.gguf");
        File.Copy(golden.ModelPath, path);
        return path;
    }

    private ModelOptions Cached(MemoryOptions? memory = null)
    {
        memory ??= new();
        return new() { Memory = memory with { RepackCache = memory.RepackCache ?? "" }, Warn = _warnings.Add };
    }

    private static float[] Logits(string path, Golden golden, ModelOptions options)
    {
        using var model = Model.Load(path, options);
        return Run.Logits(model, golden.Tokens);
    }

    private static void Flip(string path, int offset)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[offset] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static void Wipe(string path, Tensor tensor)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int offset = bytes.AsSpan().IndexOf(tensor.Data.AsSpan(0, (int)tensor.Data.Length));
        using var writer = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        writer.Position = offset;
        writer.Write(new byte[tensor.Bytes]);
    }
}
