using System.Text;
using System.Text.Json.Nodes;
using Pure.Engine.Formats;
using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Tests.Formats.Safetensors;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>Gemma 3 as it is published: a decoder of text beside a part that sees, which is left out.</summary>
public sealed class SeeingModelTests : IDisposable
{
    private static readonly ModelOptions Exact = new() { Activations = ActivationType.F32, CacheType = CacheType.F32 };
    private static readonly int[] Tokens = [1, 5, 3, 12, 0, 7, 2, 9];
    private readonly TemporaryFolder _folder = new();
    private readonly string _text = Shared.Path("data", "hf-dense", "tiny_gemma3");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("language_model.", "language_model.model.", "")]
    [InlineData("", "model.language_model.", "model.")]
    public void The_decoder_of_a_model_that_sees_gives_the_bits_that_it_gives_alone(string beforeHead, string beforeDecoder, string beforeOthers)
    {
        JsonObject text = Config();
        Write(Around(text), name => name.StartsWith("lm_head.", StringComparison.Ordinal)
            ? beforeHead + name
            : beforeDecoder + name["model.".Length..], beforeOthers);

        Assert.Equal(Logits(_text), Logits(_folder.Path));
    }

    [Fact]
    public void What_a_configuration_leaves_out_has_the_values_of_its_class()
    {
        JsonObject text = Config();
        foreach (string name in new[] { "max_position_embeddings", "rope_theta", "rms_norm_eps", "vocab_size", "query_pre_attn_scalar" })
            text.Remove(name);
        text["rms_norm_eps"] = 1e-6;
        text["vocab_size"] = 13;
        Write(Around(text), name => $"language_model.{name}", "");
        using Model model = Model.Load(_folder.Path, Exact);

        Assert.Equal(131_072, model.Info.ContextLength);
        Assert.Equal(1_000_000, model.File.Metadata.GetNumber("gemma3.rope.freq_base"));
        Assert.Equal(1.0 / 16, model.File.Metadata.GetNumber("gemma3.attention.scale"));
    }

    [Fact]
    public void Rotary_parameters_may_stand_under_each_kind_of_layer()
    {
        JsonObject text = Config();
        text["rope_parameters"] = new JsonObject
        {
            ["full_attention"] = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = text["rope_theta"]!.DeepClone() },
            ["sliding_attention"] = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = text["rope_local_base_freq"]!.DeepClone() },
        };
        text["_sliding_window_pattern"] = text["sliding_window_pattern"]!.DeepClone();
        foreach (string name in new[] { "rope_theta", "rope_local_base_freq", "sliding_window_pattern" })
            text.Remove(name);
        Write(text, name => name, null);

        Assert.Equal(Logits(_text), Logits(_folder.Path));
    }

    [Fact]
    public void A_tensor_of_no_known_part_is_named()
    {
        Write(Around(Config()), name => $"language_model.{name}", "audio_tower.");
        Refusal.Of(() => ModelFile.Open(_folder.Path), "'audio_tower.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight'", "'gemma3'");
    }

    private JsonObject Config() => (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(_text, "config.json")))!;

    private static JsonObject Around(JsonObject text)
    {
        text.Remove("architectures");
        return new JsonObject
        {
            ["architectures"] = new JsonArray("Gemma3ForConditionalGeneration"),
            ["model_type"] = "gemma3",
            ["eos_token_id"] = new JsonArray(1, 106),
            ["text_config"] = text,
            ["vision_config"] = new JsonObject { ["hidden_size"] = 8, ["num_hidden_layers"] = 1, ["model_type"] = "siglip_vision_model" },
        };
    }

    private static float[] Logits(string path)
    {
        using Model model = Model.Load(path, Exact);
        return Run.Logits(model, Tokens);
    }

    /// <summary>The text model's tensors under other names, and where <paramref name="beforeOthers"/> says so, those of the other parts.</summary>
    private void Write(JsonObject config, Func<string, string> name, string? beforeOthers)
    {
        var builder = new SafetensorsBuilder();
        using (var file = SafetensorsFile.Open(Path.Combine(_text, "model.safetensors")))
        {
            foreach (SafetensorsTensor tensor in file.Tensors)
                builder.Tensor(name(tensor.Name), $"{tensor.Type}", [.. tensor.Shape], tensor.Data.AsSpan(0, (int)tensor.Data.Length).ToArray());
        }

        if (beforeOthers is not null)
        {
            builder
                .Floats($"{beforeOthers}vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight", 8, 8)
                .Floats($"{beforeOthers}multi_modal_projector.mm_input_projection_weight", 8, 8);
        }

        _folder.Write("config.json", Encoding.UTF8.GetBytes(config.ToJsonString()));
        _folder.Write("model.safetensors", builder.Build());
    }
}
