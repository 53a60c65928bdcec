namespace Pure.Engine.Formats.HuggingFace;

/// <summary>How one of Hugging Face's architectures becomes one of ours: the family's name, its keys, and where its tensors go.</summary>
/// <param name="Family">Value of <c>general.architecture</c>.</param>
/// <param name="Describe">Sets the family's keys from <c>config.json</c>.</param>
/// <param name="Tensors">The table of tensors.</param>
internal sealed record Architecture(string Family, Action<JsonFile, Keys> Describe, TensorNames Tensors)
{
    private static readonly Dictionary<string, Architecture> Known = new()
    {
        ["LlamaForCausalLM"] = DenseArchitectures.Llama,
        ["MistralForCausalLM"] = DenseArchitectures.Llama,
        ["Qwen2ForCausalLM"] = DenseArchitectures.Qwen2,
        ["Qwen3ForCausalLM"] = DenseArchitectures.Qwen3,
        ["MixtralForCausalLM"] = MixtureArchitectures.Mixtral,
        ["Qwen2MoeForCausalLM"] = MixtureArchitectures.Qwen2Moe,
        ["Qwen3MoeForCausalLM"] = MixtureArchitectures.Qwen3Moe,
        ["OlmoeForCausalLM"] = MixtureArchitectures.Olmoe,
        ["GraniteMoeForCausalLM"] = MixtureArchitectures.GraniteMoe,
        ["GraniteMoeSharedForCausalLM"] = MixtureArchitectures.GraniteMoe,
        ["GptOssForCausalLM"] = WindowedArchitectures.GptOss,
        ["Gemma3ForCausalLM"] = WindowedArchitectures.Gemma3,
        ["DeepseekForCausalLM"] = DeepSeekArchitectures.V1,
        ["DeepseekV2ForCausalLM"] = DeepSeekArchitectures.V2,
        ["DeepseekV3ForCausalLM"] = DeepSeekArchitectures.V3,
    };

    /// <summary>The architecture that <c>config.json</c> names.</summary>
    /// <exception cref="ModelFormatException">It names none, or one that is not supported.</exception>
    internal static Architecture Of(JsonFile config)
    {
        string[] names = config.FindTexts("architectures") ?? [];
        if (names.Length == 1 && Known.TryGetValue(names[0], out Architecture? architecture))
            return architecture;
        throw config.Wrong("architectures", FileText.Quote(string.Join(", ", names)), $"one of {string.Join(", ", Known.Keys)}");
    }
}

/// <summary>The keys of one family, named without its prefix.</summary>
internal sealed class Keys(FolderMetadata metadata, string family)
{
    /// <summary>Sets <c>family.name</c>, unless the value is null.</summary>
    internal void Set(string name, object? value) => metadata.Set($"{family}.{name}", value);
}
