using System.Text.Json;

namespace Pure.Serve.Tests;

public class InfoCommandTests
{
    private const string Stories = "models/stories-moe/stories-moe-q8_0.gguf";

    [Fact]
    public void It_says_what_the_card_of_the_model_says()
    {
        string text = CommandRun.Of("info", Shared.Path(Stories), "-t", "2").Succeeds().Output;

        foreach (string fact in new[] { "deepseek2", "5,893,664", "3,010,080", "2,048 tokens", "512 tokens", "800 B per token", "2 threads" })
            Assert.Contains(fact, text, StringComparison.Ordinal);
        Assert.Contains("blk.4.ffn_down_exps.weight", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_has_sizes_memory_and_tensors()
    {
        CommandRun run = CommandRun.Of("info", Shared.Path(Stories), "--json", "-c", "100", "--kv-type", "f32", "--isa", "scalar").Succeeds();

        JsonElement info = JsonDocument.Parse(run.OutputBytes).RootElement;
        Assert.Equal("deepseek2", info.GetProperty("architecture").GetString());
        Assert.Equal(5_893_664, info.GetProperty("sizes").GetProperty("parameters").GetInt64());
        JsonElement memory = info.GetProperty("memory");
        Assert.Equal(100, memory.GetProperty("context").GetInt32());
        Assert.Equal(1600, memory.GetProperty("cache_bytes_per_position").GetInt64());
        Assert.Equal(160_000, memory.GetProperty("cache_bytes").GetInt64());
        Assert.Equal("scalar", info.GetProperty("run").GetProperty("isa").GetString());
        JsonElement tensor = info.GetProperty("tensors").EnumerateArray().First(t => t.GetProperty("name").GetString() == "blk.0.attn_q_a.weight");
        Assert.Equal([96L, 256L], tensor.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()));
    }

    [Theory]
    [InlineData("f32", 1024)]
    [InlineData("bf16", 512)]
    [InlineData("q8_0", 272)]
    [InlineData("q4_0", 144)]
    public void The_cache_costs_what_its_type_needs(string type, int bytesPerPosition)
    {
        CommandRun run = CommandRun.Of("info", Shared.Path("goldens/models/llama-q256-F32.gguf"), "--json", "--kv-type", type).Succeeds();
        JsonElement memory = JsonDocument.Parse(run.OutputBytes).RootElement.GetProperty("memory");
        Assert.Equal(bytesPerPosition, memory.GetProperty("cache_bytes_per_position").GetInt64());
    }

    [Theory]
    [InlineData(new[] { "-ctk", "q8_0", "-ctv", "q4_0" }, "q8_0/q4_0", (272 + 144) / 2)]
    [InlineData(new[] { "--kv-type", "q8_0", "--cache-type-v", "f16" }, "q8_0/f16", (272 + 512) / 2)]
    [InlineData(new[] { "--cache-type-k", "q8_0" }, "q8_0/f16", (272 + 512) / 2)]
    [InlineData(new[] { "-ctk", "q8_0", "-ctv", "q8_0" }, "q8_0", 272)]
    public void Keys_and_values_may_be_stored_in_types_of_their_own(string[] options, string named, int bytesPerPosition)
    {
        CommandRun run = CommandRun.Of(["info", Shared.Path("goldens/models/llama-q256-F32.gguf"), "--json", .. options]).Succeeds();
        JsonElement root = JsonDocument.Parse(run.OutputBytes).RootElement;
        Assert.Equal(bytesPerPosition, root.GetProperty("memory").GetProperty("cache_bytes_per_position").GetInt64());
        Assert.Contains($"\"{named}\"", root.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cache_type_whose_blocks_the_heads_do_not_fill_is_refused() =>
        CommandRun.Of("info", Shared.Path(Stories), "--kv-type", "q8_0").IsRefused("blocks of 32 (q8_0)", "f16, f32, bf16");

    [Fact]
    public void A_file_with_a_vocabulary_only_has_no_sizes()
    {
        string path = Shared.Path("goldens/tokenizer/bpe-gpt-2.gguf");

        Assert.Contains("a vocabulary only", CommandRun.Of("info", path).Succeeds().Output, StringComparison.Ordinal);
        JsonElement info = JsonDocument.Parse(CommandRun.Of("info", path, "--json").Succeeds().OutputBytes).RootElement;
        Assert.False(info.TryGetProperty("sizes", out _));
    }

    [Fact]
    public void An_architecture_that_is_not_supported_is_described_and_not_run()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("m.gguf", EmbeddedModel.With("deepseek2", "deepthink"));

        string text = CommandRun.Of("info", path).Succeeds().Output;
        foreach (string fact in new[] { "deepthink: not supported by this version", "5,893,664", "2,048 tokens", "blk.4.ffn_down_exps.weight" })
            Assert.Contains(fact, text, StringComparison.Ordinal);
        Assert.DoesNotContain("run here with", text, StringComparison.Ordinal);
        JsonElement info = JsonDocument.Parse(CommandRun.Of("info", path, "--json").Succeeds().OutputBytes).RootElement;
        Assert.False(info.GetProperty("supported").GetBoolean());
        Assert.False(info.TryGetProperty("memory", out _));
        CommandRun.Of("run", path, "-p", "Once").IsRefused("deepthink", "not supported");
    }

    [Fact]
    public void A_folder_of_an_architecture_that_is_not_supported_is_described()
    {
        string path = Shared.Path("data/hf-dense/tiny_cohere");

        string text = CommandRun.Of("info", path).Succeeds().Output;
        foreach (string fact in new[] { "tiny_cohere", "CohereForCausalLM: not supported by this version", "model.embed_tokens.weight", "F32" })
            Assert.Contains(fact, text, StringComparison.Ordinal);
        CommandRun.Of("run", path, "-p", "Once").IsRefused("CohereForCausalLM", "not supported");
    }

    [Fact]
    public void A_context_longer_than_the_models_is_refused() =>
        CommandRun.Of("info", Shared.Path(Stories), "-c", "513").IsRefused("513", "512");
}
