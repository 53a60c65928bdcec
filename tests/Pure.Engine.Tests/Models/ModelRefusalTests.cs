using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Tests.Formats;

namespace Pure.Engine.Tests.Models;

/// <summary>Files and requests that cannot be served get one sentence with the facts.</summary>
public class ModelRefusalTests
{
    [Fact]
    public void The_unbent_models_load()
    {
        TinyModel.Llama().Load().Dispose();
        TinyModel.DeepSeek2().Load().Dispose();
    }

    [Fact]
    public void An_unknown_architecture_is_named_with_what_is_supported()
    {
        TinyModel model = TinyModel.Llama();
        model.Keys["general.architecture"] = "mamba";
        Refusal.Of(() => model.Load(), "tiny.gguf", "'mamba'", "llama", "deepseek2");
    }

    [Theory]
    [InlineData("token_embd.weight")]
    [InlineData("blk.1.attn_q.weight")]
    [InlineData("blk.1.ffn_norm.weight")]
    [InlineData("output_norm.weight")]
    public void A_missing_tensor_is_named(string name)
    {
        TinyModel model = TinyModel.Llama();
        model.Tensors.Remove(name);
        Refusal.Of(() => model.Load(), "tiny.gguf", name, "missing");
    }

    [Fact]
    public void A_wrong_shape_is_shown_beside_the_expected_one()
    {
        TinyModel model = TinyModel.Llama();
        model.Tensors["blk.1.attn_k.weight"] = [16, 16];
        Refusal.Of(() => model.Load(), "blk.1.attn_k.weight", "[16, 16]", "[8, 16]");
    }

    [Fact]
    public void Experts_of_a_wrong_count_are_shown_beside_the_expected_one()
    {
        TinyModel model = TinyModel.DeepSeek2();
        model.Tensors["blk.1.ffn_up_exps.weight"] = [4, 12, 16];
        Refusal.Of(() => model.Load(), "blk.1.ffn_up_exps.weight", "[4, 12, 16]", "[8, 12, 16]");
    }

    [Fact]
    public void A_tensor_without_a_place_is_named()
    {
        TinyModel model = TinyModel.Llama();
        model.Tensors["blk.0.attn_q_norm.weight"] = [4];
        Refusal.Of(() => model.Load(), "blk.0.attn_q_norm.weight", "llama");
    }

    [Theory]
    [InlineData(19)]
    [InlineData(21)]
    public void A_vocabulary_of_another_length_than_the_embedding_is_counted(int tokens)
    {
        TinyModel model = TinyModel.Llama();
        model.Keys["tokenizer.ggml.tokens"] = Enumerable.Range(0, tokens).Select(id => $"t{id}").ToArray();
        Refusal.Of(() => model.Load(), $"{tokens} tokens", "20 rows");
    }

    [Theory]
    [InlineData("embedding_length", 0u)]
    [InlineData("block_count", 0u)]
    [InlineData("block_count", uint.MaxValue)]
    [InlineData("attention.head_count", 0u)]
    [InlineData("attention.head_count", 1u << 24)]
    [InlineData("attention.head_count_kv", 3u)]
    [InlineData("attention.key_length", 1u << 24)]
    [InlineData("attention.value_length", 1u << 20)]
    [InlineData("rope.dimension_count", 3u)]
    [InlineData("rope.dimension_count", 6u)]
    [InlineData("expert_count", 1u << 20)]
    public void Impossible_sizes_of_llama_are_named(string key, uint value)
    {
        TinyModel model = TinyModel.Llama();
        model.Keys["llama." + key] = value;
        model.Keys.TryAdd("llama.expert_used_count", 2u);
        Refusal.Of(() => model.Load(), "tiny.gguf", "llama.");
    }

    [Theory]
    [InlineData("attention.kv_lora_rank", 0u)]
    [InlineData("attention.kv_lora_rank", 1u << 20)]
    [InlineData("rope.dimension_count", 12u)]
    [InlineData("expert_used_count", 9u)]
    [InlineData("expert_count", 1u << 20)]
    [InlineData("expert_group_count", 3u)]
    [InlineData("expert_gating_func", 7u)]
    [InlineData("expert_shared_count", 1u << 24)]
    [InlineData("nextn_predict_layers", 2u)]
    public void Impossible_sizes_of_deepseek2_are_named(string key, uint value)
    {
        TinyModel model = TinyModel.DeepSeek2();
        model.Keys["deepseek2." + key] = value;
        Refusal.Of(() => model.Load(), "tiny.gguf", "deepseek2." + key);
    }

    [Fact]
    public void A_norm_of_blocks_is_refused()
    {
        TinyModel model = TinyModel.Llama();
        model.Tensors["blk.0.attn_norm.weight"] = [32];
        model.Types["blk.0.attn_norm.weight"] = (8, new byte[34]);
        model.Keys["llama.embedding_length"] = 32u;
        model.Tensors["token_embd.weight"] = [20, 32];
        Refusal.Of(() => model.Load(), "'blk.0.attn_norm.weight' is Q8_0", "F32, F16 or BF16");
    }

    [Fact]
    public void A_token_may_choose_only_from_its_groups()
    {
        TinyModel model = TinyModel.DeepSeek2();
        model.Keys["deepseek2.expert_group_count"] = 8u;
        model.Keys["deepseek2.expert_group_used_count"] = 1u;
        Refusal.Of(() => model.Load(), "deepseek2.expert_used_count", "up to the 1 experts");
    }

    [Fact]
    public void A_weight_that_is_not_a_number_is_blamed_on_its_layer()
    {
        TinyModel model = TinyModel.Llama();
        model.Values["blk.1.ffn_down.weight"] = [.. Enumerable.Repeat(float.NaN, 16 * 24)];
        using Model loaded = model.Load();
        var error = Assert.Throws<NotFiniteNumberException>(() => Run.Logits(loaded, [1, 2, 3]));
        Assert.Contains("layer 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_position_outside_the_context_is_refused_and_the_sequence_stays_usable()
    {
        using Model model = TinyModel.Llama().Load();
        using KvCache cache = model.CreateCache(100);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(65);
        for (int i = 0; i < 65; i++)
            batch.Add(sequence, 1, wantsLogits: false);
        Assert.Contains("64", Assert.Throws<InvalidRequestException>(() => model.Forward(batch)).Message, StringComparison.Ordinal);
        batch.Clear();
        batch.Add(sequence, 1, wantsLogits: true);
        Assert.Equal(1, model.Forward(batch).Count);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(20)]
    public void A_token_outside_the_vocabulary_is_refused(int token)
    {
        using Model model = TinyModel.Llama().Load();
        var error = Assert.Throws<InvalidRequestException>(() => Run.Logits(model, [token]));
        Assert.Contains($"{token}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_cache_is_refused()
    {
        using Model model = TinyModel.Llama().Load();
        using KvCache cache = model.CreateCache(1);
        using Sequence first = cache.CreateSequence();
        using Sequence second = cache.CreateSequence();
        var batch = new Batch(2);
        batch.Add(first, 1, wantsLogits: false);
        batch.Add(second, 1, wantsLogits: false);
        Assert.Contains("full", Assert.Throws<InvalidRequestException>(() => model.Forward(batch)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_memory_than_there_is_is_refused_before_it_is_asked_for()
    {
        var shape = new CacheShape(Layers: 1000, Columns: 1 << 20);
        var error = Assert.Throws<InvalidRequestException>(() => new KvCache(shape, CacheType.F32, 1 << 20));
        Assert.Contains("GB", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_models_cache_is_refused()
    {
        using Model llama = TinyModel.Llama().Load();
        using Model deepSeek = TinyModel.DeepSeek2().Load();
        using KvCache cache = deepSeek.CreateCache(10);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(1);
        batch.Add(sequence, 1, wantsLogits: false);
        Assert.Throws<InvalidRequestException>(() => llama.Forward(batch));
    }

    [Fact]
    public void An_instruction_set_that_the_processor_lacks_is_refused()
    {
        Isa? lacking = Enum.GetValues<Isa>().Except(KernelSet.Supported).Select(isa => (Isa?)isa).FirstOrDefault();
        if (lacking is null)
            Assert.Skip("this processor has every instruction set");
        Assert.Throws<InvalidRequestException>(() => TinyModel.Llama().Load(new ModelOptions { Isa = lacking }));
    }

    [Fact]
    public void Hostile_metadata_of_a_whole_model_is_refused_or_runs()
    {
        const int Rounds = 2000;
        byte[][] seeds = [TinyModel.Llama().Bytes(), TinyModel.DeepSeek2().Bytes()];
        var random = new Random(11);
        for (int round = 0; round < Rounds; round++)
        {
            byte[] bytes = (byte[])seeds[round % seeds.Length].Clone();
            for (int change = random.Next(1, 4); change > 0; change--)
                bytes[random.Next(2500)] = (byte)(random.Next(3) == 0 ? random.Next(256) : random.Next(4));
            using var buffer = new AlignedBuffer<byte>(bytes.Length);
            bytes.CopyTo(buffer.Span);
            try
            {
                using var model = Model.Load(Engine.Formats.Gguf.GgufFile.Parse(buffer.View, "mutated"), new ModelOptions { Threads = 1, MaxBatchRows = 4 });
                Run.Logits(model, [0, 1, 2]);
            }
            catch (Exception refusal) when (refusal is ModelFormatException or InvalidRequestException or NotFiniteNumberException)
            {
            }
        }
    }
}
