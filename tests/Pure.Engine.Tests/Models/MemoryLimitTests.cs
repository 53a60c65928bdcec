using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Models;

/// <summary>Experts that are read from the file when needed change no bit, whatever there is room for.</summary>
public sealed class MemoryLimitTests
{
    private const long Plenty = 1L << 40;

    public static TheoryData<string> Mixtures =>
        [.. Family.Names.SelectMany(Types).Where(name => HasExperts(name))];

    [Theory, MemberData(nameof(Mixtures))]
    public void Any_number_of_places_for_experts_gives_the_same_bits(string name)
    {
        float[] unlimited = Logits(name, new());
        foreach (int slots in (ReadOnlySpan<int>)[1, 3])
        {
            var limited = new ModelOptions { MemoryLimit = Plenty, ExpertSlots = slots };
            Assert.Equal(unlimited, Logits(name, limited));
            Assert.Equal(unlimited, Logits(name, limited with { Repack = false, Threads = 1 }, chunk: 1));
            Assert.Equal(unlimited, Logits(name, limited with { Isa = Isa.Scalar, Threads = 3 }, chunk: 3));
        }
    }

    [Theory]
    [InlineData("llama-mixtral")]
    [InlineData("gpt-oss")]
    [InlineData("qwen3moe-q256-Q4_K_M")]
    [InlineData("deepseek2-v3-q256-Q6_K")]
    public void A_file_gives_the_same_bits_from_few_places(string name)
    {
        Golden golden = Golden.Open(name);
        using var unlimited = Model.Load(golden.ModelPath);
        float[] logits = Run.Logits(unlimited, golden.Tokens);
        using var limited = Model.Load(golden.ModelPath, new ModelOptions { MemoryLimit = Plenty, ExpertSlots = 3 });
        Assert.True(limited.MemoryPlan!.IsStreamed);
        Assert.Equal(logits, Run.Logits(limited, golden.Tokens));
        Assert.Equal(logits, Run.Logits(limited, golden.Tokens, chunk: 1));
        Assert.True(limited.ExpertReads.Bytes > limited.MemoryPlan.SlotBytes);
    }

    [Theory]
    [InlineData("llama-mixtral")]
    [InlineData("qwen3moe-q256-Q4_K_M")]
    [InlineData("deepseek2-v3-q256-Q6_K")]
    public void A_mixture_that_does_not_fit_is_read_when_needed_without_being_told(string name)
    {
        Golden golden = Golden.Open(name);
        using var unlimited = Model.Load(golden.ModelPath);
        Assert.Null(unlimited.MemoryPlan);
        long weights = unlimited.File.Tensors.Sum(tensor => tensor.Bytes);
        using var limited = Model.Load(golden.ModelPath, new ModelOptions { AvailableMemory = weights, ExpertSlots = 3 });
        Assert.True(limited.MemoryPlan!.IsStreamed);
        Assert.Equal(weights / 100 * 97, limited.MemoryPlan.Limit);
        Assert.Equal(Run.Logits(unlimited, golden.Tokens), Run.Logits(limited, golden.Tokens));
        Assert.NotEqual(0, limited.ExpertReads.Bytes);

        // It fits with a tenth to spare, or is not to be rearranged: then the system may drop mapped pages.
        using var roomy = Model.Load(golden.ModelPath, new ModelOptions { AvailableMemory = weights * 10 / 8 });
        Assert.Null(roomy.MemoryPlan);
        using var mapped = Model.Load(golden.ModelPath, new ModelOptions { AvailableMemory = weights, Repack = false });
        Assert.Null(mapped.MemoryPlan);
    }

    [Fact]
    public void A_dense_model_that_does_not_fit_is_used_where_it_is_mapped()
    {
        Golden golden = Golden.Open("llama-q256-Q4_0");
        using var model = Model.Load(golden.ModelPath, new ModelOptions { AvailableMemory = 1000 });
        Assert.Null(model.MemoryPlan);
        Run.Logits(model, golden.Tokens);
        Assert.Equal(0, model.ReadWeights());
    }

    [Fact]
    public void Everything_stays_in_memory_where_the_limit_allows_it()
    {
        using Model model = Open("qwen3moe/Q4_0", new ModelOptions { MemoryLimit = Plenty });
        Assert.False(model.MemoryPlan!.IsStreamed);
        Run.Logits(model, Tokens);
        Assert.Equal(default, model.ExpertReads);
    }

    /// <summary>
    /// Least recently used alone finds nothing when all layers are gone through again and again: what is needed next was used longest ago.
    /// </summary>
    [Fact]
    public void Prompts_that_need_every_expert_find_as_many_as_there_is_room_for()
    {
        var options = new ModelOptions { MemoryLimit = Plenty, ExpertSlots = 24, MaxBatchRows = 64 };
        using Model model = Model.Load(TinyFamily.Create("qwen3moe", ElementType.Q4_0, layers: 6), options);
        int[] tokens = [.. Enumerable.Range(0, 64).Select(index => index % TinyFamily.Vocabulary)];
        Run.Logits(model, tokens);
        ExpertReads first = model.ExpertReads;
        Run.Logits(model, tokens);
        ExpertReads both = model.ExpertReads;
        long needed = both.Asked - first.Asked;
        long read = (both.Bytes - first.Bytes) / (model.MemoryPlan!.ExpertBytes / model.MemoryPlan.Experts);
        Assert.InRange(needed, 40, 48);

        // Two layers' worth may be on their way out and in.
        Assert.InRange(read, needed - 24, needed - 8);
    }

    [Fact]
    public void Experts_of_the_token_before_are_not_read_again()
    {
        using Model model = Open("llama/Q4_0", new ModelOptions { MemoryLimit = Plenty, ExpertSlots = 15 });
        int[] tokens = [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3];
        Run.Logits(model, tokens, chunk: 1);
        long bytes = model.ExpertReads.Bytes;
        Run.Logits(model, tokens, chunk: 1);
        Assert.InRange(model.ExpertReads.Bytes - bytes, 0, 2 * model.MemoryPlan!.ExpertBytes / model.MemoryPlan.Experts);
    }

    [Fact]
    public void A_limit_that_is_too_small_is_refused_with_the_least_that_works()
    {
        var refusal = Assert.Throws<InvalidRequestException>(() => Open("qwen3moe/Q4_0", new ModelOptions { MemoryLimit = 1 << 20 }));
        Assert.Matches(
            @"^memory is to get by with 1 MB of memory and needs at least \d+ MB: \d+ MB for weights that every token needs, \d+ MB to work with, "
            + "1 MB for the 2 experts that a token uses in a layer; raise the limit.$",
            refusal.Message);
    }

    [Fact]
    public void A_model_without_experts_is_refused_where_it_is_larger_than_the_limit()
    {
        var refusal = Assert.Throws<InvalidRequestException>(() => Open("qwen3/Q4_0", new ModelOptions { MemoryLimit = 1 << 20 }));
        Assert.Contains("every token needs all of its weights", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>A part that was never touched: bytes past the end of a mapped file may not be.</summary>
    [Fact]
    public void A_file_that_became_shorter_is_an_error_that_names_it()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, new byte[10_000]);
            using MappedFile file = MappedFile.Open(path);
            var bytes = new byte[100];
            file.View.Read(9_900, bytes);
            using (FileStream writer = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
                writer.SetLength(9_950);
            var error = Assert.Throws<ModelFormatException>(() => file.View.Read(9_900, bytes));
            Assert.Equal($"{path}: the file ends at byte 9950, it had 10000 bytes when it was opened; it changed meanwhile, start again.", error.Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static int[] Tokens { get; } = [.. Enumerable.Range(0, 12).Select(index => index * 17 % TinyFamily.Vocabulary)];

    /// <summary>All for one family: what is rearranged in a place must not mix with what was there before.</summary>
    private static IEnumerable<string> Types(string family) =>
        from type in family == "llama" ? Enum.GetValues<ElementType>() : [ElementType.F32, ElementType.Q4_0]
        select $"{family}/{type}";

    private static bool HasExperts(string name)
    {
        using MemoryModelFile file = FileOf(name);
        return file.Tensors.Any(tensor => tensor.Name.Contains("_exps", StringComparison.Ordinal));
    }

    private static MemoryModelFile FileOf(string name) =>
        TinyFamily.Create(name.Split('/')[0], Enum.Parse<ElementType>(name.Split('/')[1]));

    private static Model Open(string name, ModelOptions options)
    {
        MemoryModelFile file = FileOf(name);
        try
        {
            return Model.Load(file, options with { MaxBatchRows = 64 });
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static float[] Logits(string name, ModelOptions options, int chunk = int.MaxValue)
    {
        using Model model = Open(name, options);
        return Run.Logits(model, Tokens, chunk);
    }
}
