using System.Text;
using Pure.Engine.Formats;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>What <c>generation_config.json</c> and <c>config.json</c> say of writing with a model.</summary>
public sealed class GenerationKeysTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Choices_get_the_names_that_gguf_files_give_them()
    {
        using ModelFile file = Open("""
            {"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0, "repetition_penalty": 1.05, "typical_p": null,
             "max_new_tokens": 2048, "transformers_version": "4.51.0"}
            """);

        Assert.Equal(0.6, file.Metadata.GetNumber("general.sampling.temp"));
        Assert.Equal(20, file.Metadata.GetInteger("general.sampling.top_k"));
        Assert.Equal(0.95, file.Metadata.GetNumber("general.sampling.top_p"));
        Assert.Equal(0, file.Metadata.GetNumber("general.sampling.min_p"));
        Assert.Equal(1.05, file.Metadata.GetNumber("general.sampling.penalty_repeat"));
    }

    [Fact]
    public void A_model_that_is_not_to_be_sampled_is_greedy()
    {
        using ModelFile file = Open("""{"do_sample": false, "temperature": 0.6}""");
        Assert.Equal(0, file.Metadata.GetNumber("general.sampling.temp"));
    }

    [Theory]
    [InlineData("""{}""", null)]
    [InlineData("""{"eos_token_id": null, "do_sample": true}""", null)]
    [InlineData("""{"eos_token_id": 7}""", null, 7L)]
    [InlineData("""{"eos_token_id": [5, 7, 5]}""", null, 5L, 7L)]
    [InlineData("""{"eos_token_id": [5, 7]}""", "3", 3L, 5L, 7L)]
    [InlineData("""{"eos_token_id": 7}""", "[7, 6]", 6L, 7L)]
    [InlineData("""{"temperature": 1}""", "[2]", 2L)]
    public void Every_token_that_ends_a_text_counts(string generation, string? config, params long[] ends)
    {
        using ModelFile file = Open(generation, config);
        Assert.Equal(ends, file.Metadata.FindIntegers("tokenizer.ggml.eos_token_ids") ?? []);
    }

    [Theory]
    [InlineData("""{"temperature": "hot"}""", "'temperature'", "'\"hot\"'", "a number")]
    [InlineData("""{"top_k": 2.5}""", "'top_k'", "an integer")]
    [InlineData("""{"top_k": 1e99}""", "'top_k'", "an integer")]
    [InlineData("""{"do_sample": 1}""", "'do_sample'", "true or false")]
    [InlineData("""{"eos_token_id": "</s>"}""", "'eos_token_id'", "integers")]
    [InlineData("""{"eos_token_id": [1, [2]]}""", "'eos_token_id'", "integers")]
    [InlineData("""{"eos_token_id": 1.5}""", "'eos_token_id'", "an integer")]
    [InlineData("""[]""", "object")]
    [InlineData("""{"top_p": 1""", "JSON")]
    [InlineData("""{"top_p": 1, "top_p": 1}""", "repeated names")]
    public void Values_of_another_type_are_refused(string generation, params string[] facts) =>
        Refusal.Of(() => Open(generation), ["generation_config.json", .. facts]);

    [Fact]
    public void A_million_levels_are_refused() => Refusal.Of(
        () => Open("{\"eos_token_id\":" + new string('[', 1_000_000)), "generation_config.json", "levels");

    private ModelFile Open(string generation, string? ends = null)
    {
        string config = ends is null ? TinyFolder.LlamaConfig : TinyFolder.LlamaConfig.Replace("{\"arch", $"{{\"eos_token_id\": {ends}, \"arch", StringComparison.Ordinal);
        TinyFolder.Write(_folder, config, TinyFolder.Llama());
        _folder.Write("generation_config.json", Encoding.UTF8.GetBytes(generation));
        return ModelFile.Open(_folder.Path);
    }
}
