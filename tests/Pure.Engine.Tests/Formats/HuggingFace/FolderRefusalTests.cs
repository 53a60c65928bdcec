using System.Text;
using Pure.Engine.Formats;
using Pure.Engine.Layers;
using Pure.Engine.Models;
using Pure.Engine.Tests.Formats.Safetensors;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>Folders that cannot be used are refused in one sentence that names the file and the tensor or key.</summary>
public sealed class FolderRefusalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_tiny_folders_load()
    {
        foreach ((string config, SafetensorsBuilder weights) in Folders())
            Load(config, weights).Dispose();
    }

    [Theory]
    [InlineData("\"hidden_size\": 32", "\"hidden_size\": 64", "'token_embd.weight'", "[8, 32]", "[8, 64]")]
    [InlineData("\"hidden_size\": 32", "\"hidden_size\": \"32\"", "'hidden_size'", "an integer")]
    [InlineData("\"hidden_size\": 32,", "", "'hidden_size'", "missing")]
    [InlineData("\"hidden_size\": 32", "\"hidden_size\": 32.5", "'hidden_size'", "32.5", "an integer")]
    [InlineData("\"vocab_size\": 8", "\"vocab_size\": 9", "8 rows", "9 tokens")]
    [InlineData("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2", "'blk.1.attn_norm.weight'", "missing")]
    [InlineData("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 0", "block_count")]
    [InlineData("\"num_attention_heads\": 2", "\"num_attention_heads\": 0", "'num_attention_heads'", "above 0")]
    [InlineData("\"num_attention_heads\": 2", "\"num_attention_heads\": 9223372036854775807", "head_count")]
    [InlineData("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "'hidden_act'", "'gelu'", "'silu'")]
    [InlineData("\"LlamaForCausalLM\"", "\"GhostForCausalLM\"", "'GhostForCausalLM'", "not supported", "LlamaForCausalLM")]
    [InlineData("\"LlamaForCausalLM\"", "", "'architectures'", "missing or empty")]
    [InlineData("\"LlamaForCausalLM\"", "\"A\", \"B\"", "'architectures'", "'A, B'", "one name")]
    [InlineData("\"llama3\"", "\"longrope\"", "'rope_scaling.rope_type'", "'longrope'")]
    [InlineData("\"factor\": 8.0", "\"factor\": 0", "rope.scaling.factor")]
    [InlineData("\"high_freq_factor\": 4.0", "\"high_freq_factor\": 1.0", "high_freq_factor")]
    [InlineData("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1e999", "'rms_norm_eps'", "a number")]
    [InlineData("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false", "tie_word_embeddings", "lm_head.weight")]
    [InlineData("\"vocab_size\": 8", "\"vocab_size\": 8, \"vocab_size\": 8", "JSON", "repeated names")]
    [InlineData("\"hidden_act\": \"silu\"}", "\"hidden_act\": ", "config.json", "JSON")]
    public void Configurations_that_do_not_fit_are_refused(string good, string bad, params string[] facts)
    {
        Assert.Contains(good, TinyFolder.LlamaConfig, StringComparison.Ordinal);
        Refusal.Of(() => Load(TinyFolder.LlamaConfig.Replace(good, bad, StringComparison.Ordinal), TinyFolder.Llama()), facts);
    }

    [Fact]
    public void A_dynamic_configuration_goes_by_its_own_context()
    {
        TinyFolder.Write(_folder, TinyFolder.LlamaConfig.Replace("\"llama3\"", "\"dynamic\"", StringComparison.Ordinal), TinyFolder.Llama());
        using var model = Model.Load(_folder.Path, new ModelOptions { Rope = new RopeOptions { Context = 128 } });
        Assert.Equal(new RotaryScaling.Dynamic(8, 64, 128), model.Transformer.Ropes[0].Scaling);
        Assert.Equal(128, model.Info.ContextLength);
    }

    [Fact]
    public void A_million_deep_configuration_is_refused() =>
        Refusal.Of(() => Load("{\"a\":" + new string('[', 1_000_000), TinyFolder.Llama()), "config.json", "levels");

    [Fact]
    public void A_configuration_that_is_no_text_is_refused()
    {
        // A value of the wrong type, which the message would quote.
        byte[] config = Encoding.Latin1.GetBytes(TinyFolder.LlamaConfig.Replace("\"hidden_size\": 32", "\"hidden_size\": \"\u0083\"", StringComparison.Ordinal));
        _folder.Write("config.json", config);
        _folder.Write("model.safetensors", TinyFolder.Llama().Build());
        Refusal.Of(() => ModelFile.Open(_folder.Path), "config.json", "UTF-8");
    }

    [Fact]
    public void A_missing_configuration_is_named()
    {
        _folder.Write("model.safetensors", TinyFolder.Llama().Build());
        Refusal.Of(() => ModelFile.Open(_folder.Path), "directory without a config.json", "GGUF");
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("config.json")]
    public void A_file_of_a_folder_is_told_from_the_folder(string name)
    {
        TinyFolder.Write(_folder, TinyFolder.LlamaConfig, TinyFolder.Llama());
        Refusal.Of(() => ModelFile.Open(Path.Combine(_folder.Path, name)), name, "name the folder");
    }

    [Fact]
    public void Missing_weights_are_named()
    {
        _folder.Write("config.json", Encoding.UTF8.GetBytes(TinyFolder.LlamaConfig));
        Refusal.Of(() => ModelFile.Open(_folder.Path), "model.safetensors", "model.safetensors.index.json");
    }

    [Theory]
    [InlineData("""{"weight_map": {"a": "model-00002-of-00002.safetensors"}}""", "'model-00002-of-00002.safetensors'", "missing")]
    [InlineData("""{"weight_map": {"a": "../model.safetensors"}}""", "'../model.safetensors'", "same folder")]
    [InlineData("""{"weight_map": {"a": "C:\\model.safetensors"}}""", "same folder")]
    [InlineData("""{"weight_map": {"a": ".."}}""", "'..'", "same folder")]
    [InlineData("""{"weight_map": {"a": "one.safetensors"}}""", "one.safetensors", "'a'", "missing")]
    [InlineData("""{"weight_map": {"a": 1}}""", "'weight_map.a'", "a string")]
    [InlineData("""{"weight_map": {"\ud800": "one.safetensors"}}""", "index.json")]
    [InlineData("""{"weight_map": {}}""", "'weight_map'", "empty")]
    [InlineData("""{"metadata": {}}""", "'weight_map'", "missing")]
    public void Indexes_that_do_not_fit_are_refused(string index, params string[] facts)
    {
        _folder.Write("config.json", Encoding.UTF8.GetBytes(TinyFolder.LlamaConfig));
        _folder.Write("one.safetensors", TinyFolder.Llama().Build());
        _folder.Write("model.safetensors.index.json", Encoding.UTF8.GetBytes(index));
        Refusal.Of(() => ModelFile.Open(_folder.Path), facts);
    }

    [Fact]
    public void A_tensor_that_no_family_expects_is_named() => Refusal.Of(
        () => Load(TinyFolder.LlamaConfig, TinyFolder.Llama().Floats("model.layers.0.self_attn.ghost.weight", 2)),
        "model.safetensors", "'model.layers.0.self_attn.ghost.weight'", "'llama'");

    [Fact]
    public void A_layer_beyond_the_last_is_named() => Refusal.Of(
        () => Load(TinyFolder.LlamaConfig, TinyFolder.Llama().Floats("model.layers.1.input_layernorm.weight", 32)), "'blk.1.attn_norm.weight'");

    [Fact]
    public void A_missing_expert_is_named() => Refusal.Of(
        () => Load(TinyFolder.MixtralConfig, TinyFolder.Mixtral().Floats("model.layers.0.block_sparse_moe.experts.3.w1.weight", 32, 32)), "expert 2");

    [Fact]
    public void Experts_of_different_shapes_are_refused() => Refusal.Of(
        () => Load(TinyFolder.MixtralConfig, TinyFolder.Mixtral().Floats("model.layers.0.block_sparse_moe.experts.2.w1.weight", 32, 16)), "'blk.0.ffn_gate_exps'", "[32, 32]");

    [Fact]
    public void A_weight_of_integers_is_refused() => Refusal.Of(
        () => Load(TinyFolder.LlamaConfig, TinyFolder.Llama().Tensor("model.layers.0.self_attn.q_proj.bias", "I64", [1], new byte[8])), "q_proj.bias", "I64");

    [Fact]
    public void Scales_that_are_no_numbers_are_refused()
    {
        Refusal.Of(() => Load(TinyFolder.Fp8Config, TinyFolder.Fp8(float.NaN)), "weight_scale_inv", "NaN", "[0, 0]");
        Refusal.Of(() => Load(TinyFolder.GptqConfig, TinyFolder.Gptq(scales: [.. Enumerable.Repeat((byte)0x7C, 128)])), "down_proj.scales", "finite");
    }

    [Theory]
    [InlineData("qzeros", "I32", new long[] { 2, 3 }, 24, "[2, 4]")]
    [InlineData("qzeros", "F32", new long[] { 2, 4 }, 32, "I32")]
    [InlineData("scales", "F16", new long[] { 3, 32 }, 192, "[2, 32]")]
    [InlineData("scales", "I32", new long[] { 2, 32 }, 256, "floats")]
    [InlineData("g_idx", "I32", new long[] { 31 }, 124, "[32]")]
    [InlineData("g_idx", "F32", new long[] { 32 }, 128, "I32")]
    [InlineData("qweight", "I32", new long[] { 4, 31 }, 496, "eights")]
    [InlineData("qweight", "I32", new long[] { 4, 0 }, 0, "eights")]
    [InlineData("qweight", "U8", new long[] { 16, 32 }, 512, "I32")]
    public void Parts_of_a_quantised_weight_that_do_not_fit_are_refused(string part, string type, long[] shape, int bytes, string expected) => Refusal.Of(
        () => Load(TinyFolder.GptqConfig, TinyFolder.Gptq().Replace($"model.layers.0.mlp.down_proj.{part}", type, shape, new byte[bytes])),
        "model.safetensors", $"down_proj.{part}", expected);

    [Theory]
    [InlineData("qzeros")]
    [InlineData("scales")]
    public void A_quantised_weight_that_lacks_a_part_is_refused(string part) => Refusal.Of(
        () => Load(TinyFolder.GptqConfig, TinyFolder.Gptq().Without($"model.layers.0.mlp.down_proj.{part}")), "down_proj", $"no {part}");

    [Fact]
    public void Eight_bit_floats_whose_scales_do_not_fit_are_refused()
    {
        const string Scales = "model.layers.0.mlp.down_proj.weight_scale_inv";
        Refusal.Of(() => Load(TinyFolder.Fp8Config, TinyFolder.Fp8().Without(Scales)), "down_proj.weight", "no weight_scale_inv");
        Refusal.Of(() => Load(TinyFolder.Fp8Config, TinyFolder.Fp8().Replace(Scales, "F32", [2, 1], new byte[8])), Scales, "[2, 1]", "[2, 2]");
        Refusal.Of(
            () => Load(TinyFolder.Fp8Config, TinyFolder.Fp8().Without("model.layers.0.mlp.down_proj.weight")), Scales, "lacks the weights");
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        _folder.Write("config.json", Encoding.UTF8.GetBytes(TinyFolder.LlamaConfig));
        _folder.Write("one.safetensors", TinyFolder.Llama().Build());
        _folder.Write("two.safetensors", new SafetensorsBuilder().Floats("model.norm.weight", 32).Floats("more", 1).Build());
        _folder.Write(
            "model.safetensors.index.json",
            """{"weight_map": {"model.embed_tokens.weight": "one.safetensors", "model.norm.weight": "two.safetensors"}}"""u8.ToArray());
        Refusal.Of(() => ModelFile.Open(_folder.Path), "two.safetensors", "'model.norm.weight'", "one.safetensors");
    }

    [Fact]
    public void An_order_that_names_no_group_is_refused() =>
        Refusal.Of(() => Load(TinyFolder.GptqConfig, TinyFolder.Gptq(order: [.. Enumerable.Repeat((byte)1, 128)])), "g_idx", "input 0", "group 16843009", "0 to 1");

    [Fact]
    public void Quantised_weights_without_a_word_of_it_are_refused()
    {
        Refusal.Of(() => Load(TinyFolder.LlamaConfig, TinyFolder.Gptq()), "down_proj.qweight", "quantization_config");
        Refusal.Of(() => Load(TinyFolder.LlamaConfig, TinyFolder.Fp8()), "down_proj.weight_scale_inv", "quantization_config");
    }

    [Theory]
    [InlineData("\"bits\": 4", "\"bits\": 3", "'quantization_config.bits'", "3")]
    [InlineData("\"group_size\": 16", "\"group_size\": 0", "'quantization_config.group_size'")]
    [InlineData("\"group_size\": 16", "\"group_size\": 8", "down_proj.scales", "[2, 32]", "[4, 32]")]
    [InlineData("\"quant_method\": \"gptq\"", "\"quant_method\": \"ghost\"", "'ghost'", "gptq")]
    public void Quantisation_that_does_not_fit_is_refused(string good, string bad, params string[] facts)
    {

        Refusal.Of(() => Load(TinyFolder.GptqConfig.Replace(good, bad, StringComparison.Ordinal), TinyFolder.Gptq()), facts);
    }

    internal static IEnumerable<(string Config, SafetensorsBuilder Weights)> Folders() =>
    [
        (TinyFolder.LlamaConfig, TinyFolder.Llama()),
        (TinyFolder.MixtralConfig, TinyFolder.Mixtral()),
        (TinyFolder.GptqConfig, TinyFolder.Gptq()),
        (TinyFolder.Fp8Config, TinyFolder.Fp8()),
    ];

    private Model Load(string config, SafetensorsBuilder weights) =>
        Model.Load(TinyFolder.Write(_folder, config, weights), new ModelOptions { Threads = 1, MaxBatchRows = 4 });
}
