using Pure.Engine.Generation;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Tests.Generation;

namespace Pure.Engine.Tests.Models;

/// <summary>Prompts against keys and values made from latents: another function than the absorbed one, as repeatable, and as near to the truth.</summary>
public class ExpandedLatentTests
{
    private static readonly ModelOptions Expanded = new() { Mla = LatentForm.Expanded, Threads = 1 };

    // Two spans, the second one short.
    private static readonly int[] Prompt = [.. Enumerable.Range(0, 300).Select(index => index * 31 % TinyFamily.Vocabulary)];

    [Theory]
    [InlineData(ElementType.Q8_0, ActivationType.Q8, CacheType.F16)]
    [InlineData(ElementType.Q4_K, ActivationType.Q8, CacheType.Q8_0)]
    [InlineData(ElementType.F32, ActivationType.Q8, CacheType.F32)]
    [InlineData(ElementType.Q8_0, ActivationType.F32, CacheType.BF16)]
    public void Chunks_threads_instruction_sets_and_packing_change_no_bit(ElementType type, ActivationType activations, CacheType cache)
    {
        ModelOptions options = Expanded with { Activations = activations, CacheType = cache };
        float[] expected = Logits(type, options, 512);
        foreach (int chunk in (int[])[1, 7, 64, 257])
            Assert.Equal(expected, Logits(type, options, chunk));
        Assert.Equal(expected, Logits(type, options with { Threads = 5 }, 100));
        Assert.Equal(expected, Logits(type, options with { Repack = false, Threads = 2 }, 100));
        Assert.Equal(expected, Logits(type, options with { Emit = false }, 512));
        foreach (Isa isa in KernelSet.Supported)
            Assert.Equal(expected, Logits(type, options with { Isa = isa, Threads = 2 }, 512));
        Assert.NotEqual(expected, Logits(type, options with { Mla = LatentForm.Absorbed }, 512));
    }

    /// <summary>Rows after the prompt are absorbed, whatever batch they are in; a batch may hold both kinds, of several sequences.</summary>
    [Fact]
    public void Where_the_prompt_ends_counts_and_the_batch_does_not()
    {
        const int PromptLength = 270;
        using Model model = Open(ElementType.Q8_0, Expanded with { Threads = 3 });
        float[] expected = LastLogits(model, PromptLength, chunk: 1);
        Assert.Equal(expected, LastLogits(model, PromptLength, chunk: 64));
        Assert.Equal(expected, LastLogits(model, PromptLength, chunk: 300));
        Assert.NotEqual(expected, LastLogits(model, PromptLength + 1, chunk: 64));

        using KvCache cache = model.CreateCache(1024);
        using Sequence first = cache.CreateSequence();
        using Sequence second = cache.CreateSequence();
        first.PromptLength = second.PromptLength = PromptLength;
        var batch = new Batch(512);
        foreach (int token in Prompt)
        {
            batch.Add(first, token, wantsLogits: false);
            if (batch.Count > 200)
                batch.Add(second, token, wantsLogits: false);
        }

        model.Forward(batch);
        batch.Clear();
        batch.Add(second, 5, wantsLogits: false);
        batch.Add(first, 7, wantsLogits: true);
        Assert.Equal(expected, model.Forward(batch)[0].ToArray());
    }

    [Theory]
    [InlineData("deepseek2-lite-split")]
    [InlineData("deepseek2-v3-kvb")]
    public void Logits_are_as_near_to_float64_mathematics_as_those_of_the_absorbed_form(string name)
    {
        Golden golden = Golden.Open(name);
        var floats = new ModelOptions { CacheType = CacheType.F32, Mla = LatentForm.Expanded };
        using Model model = Model.Load(golden.ModelPath, floats);
        float[] logits = Run.Logits(model, golden.Tokens);
        float[] selected = [.. golden.Positions.SelectMany(position => logits.AsSpan(position * golden.Vocabulary, golden.Vocabulary).ToArray())];
        Assert.InRange(Golden.Nmse(selected, golden.ExactLogits), 0, 1e-9);
    }

    [Fact]
    public void Quantised_weights_err_no_more_than_in_the_absorbed_form()
    {
        ModelOptions exact = Expanded with { Activations = ActivationType.F32, CacheType = CacheType.F32 };
        float[] expected = Logits(ElementType.Q8_0, exact with { Mla = LatentForm.Absorbed }, 512);
        double absorbed = Golden.Nmse(Logits(ElementType.Q8_0, Expanded with { Mla = LatentForm.Absorbed }, 512), expected);
        double expanded = Golden.Nmse(Logits(ElementType.Q8_0, Expanded, 512), expected);
        Assert.InRange(Golden.Nmse(Logits(ElementType.Q8_0, exact, 512), expected), 0, 1e-9);
        Assert.InRange(expanded, 0, 2 * absorbed);
    }

    [Fact]
    public void What_was_written_is_not_restored_as_if_it_were_a_prompt()
    {
        using Model model = Open(ElementType.Q8_0, Expanded);
        using var session = new Session(model, 400);
        int[] written = Write(session, Prompt).Ids;
        using var file = new MemoryStream();
        session.Save(file);
        int[] longer = [.. Prompt, .. written, 3, 4];

        using var restored = new Session(model, 400);
        Assert.Equal(Prompt.Length, restored.Restore(new MemoryStream(file.ToArray())));
        using var fresh = new Session(model, 400);
        Assert.Equal(Write(fresh, longer).LogitsHash, Write(restored, longer).LogitsHash);
        Assert.Equal(Prompt.Length, restored.RestoredTokens);
    }

    [Fact]
    public void A_model_with_another_attention_refuses_it()
    {
        var thrown = Assert.Throws<InvalidRequestException>(() => Model.Load(TinyFamily.Create("llama"), Expanded));
        Assert.Contains("--mla expand", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("'llama'", thrown.Message, StringComparison.Ordinal);
    }

    private static float[] Logits(ElementType type, ModelOptions options, int chunk)
    {
        using Model model = Open(type, options);
        return Run.Logits(model, Prompt, chunk);
    }

    /// <summary>Logits of a token behind 300 others, of which the first belong to the prompt.</summary>
    private static float[] LastLogits(Model model, int promptLength, int chunk)
    {
        using KvCache cache = model.CreateCache(512);
        using Sequence sequence = cache.CreateSequence();
        sequence.PromptLength = promptLength;
        var batch = new Batch(chunk);
        foreach (int[] tokens in Prompt.Chunk(chunk))
        {
            batch.Clear();
            foreach (int token in tokens)
                batch.Add(sequence, token, wantsLogits: false);
            model.Forward(batch);
        }

        batch.Clear();
        batch.Add(sequence, 7, wantsLogits: true);
        return model.Forward(batch)[0].ToArray();
    }

    private static Written Write(Session session, int[] prompt) =>
        Written.By(session, prompt, new GenerationOptions { MaxTokens = 4, Sampling = new SamplingOptions { Temperature = 0 } });

    private static Model Open(ElementType type, ModelOptions options) => Model.Load(TinyFamily.Create("deepseek2", type), options);
}
