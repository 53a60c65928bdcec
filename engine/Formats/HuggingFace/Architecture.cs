namespace Pure.Engine.Formats.HuggingFace;

/// <summary>How one of Hugging Face's architectures becomes one of ours: the family's name, its keys, and where its tensors go.</summary>
/// <param name="Family">Value of <c>general.architecture</c>.</param>
/// <param name="Describe">Sets the family's keys from <c>config.json</c>.</param>
/// <param name="Tensors">The table of tensors.</param>
internal sealed record Architecture(string Family, Action<JsonFile, Keys> Describe, TensorNames Tensors)
{
    /// <summary>Name of the object in which a model that also sees keeps the configuration of its text part.</summary>
    private const string TextConfig = "text_config";

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
        ["Gemma3ForConditionalGeneration"] = WindowedArchitectures.Gemma3,
        ["DeepseekForCausalLM"] = DeepSeekArchitectures.V1,
        ["DeepseekV2ForCausalLM"] = DeepSeekArchitectures.V2,
        ["DeepseekV3ForCausalLM"] = DeepSeekArchitectures.V3,
    };

    /// <summary>What the family's configurations may leave out.</summary>
    internal JsonFile? Defaults { get; init; }

    /// <summary>Whether models of this architecture come with parts that see, which are left out.</summary>
    internal bool MaySee { get; init; }

    /// <summary>Whether the table has the layer that predicts the token after the next; otherwise such layers are left out.</summary>
    internal bool HasPredictors { get; init; }

    /// <summary>The architecture that <c>config.json</c> names.</summary>
    /// <exception cref="ModelFormatException">It names none, or one that is not supported.</exception>
    internal static Architecture Of(JsonFile config)
    {
        string[] names = config.FindTexts("architectures") ?? [];
        if (names.Length == 1 && Known.TryGetValue(names[0], out Architecture? architecture))
            return architecture;
        if (names.Length == 1)
        {
            throw new ModelFormatException(
                $"{config.File}: the architecture {FileText.Quote(names[0])} is not supported; supported are {string.Join(", ", Known.Keys)}.")
            {
                UnsupportedArchitecture = names[0],
            };
        }

        throw config.Wrong("architectures", names.Length == 0 ? "missing or empty" : FileText.Quote(string.Join(", ", names)), "one name");
    }

    /// <summary>The configuration of the decoder: all of <paramref name="config"/>, or its part of that name.</summary>
    internal JsonFile DecoderConfig(JsonFile config) =>
        ((MaySee ? config.FindObject(TextConfig) : null) ?? config).Over(Defaults);

    /// <summary>
    /// The name that a tensor has where the decoder is stored alone; null for a tensor of another part. Older versions of the library
    /// write <c>language_model.model.…</c> and newer ones <c>model.language_model.…</c>.
    /// </summary>
    internal string? DecoderName(string name)
    {
        if (!MaySee)
            return name;
        foreach (string part in new[] { "vision_tower.", "multi_modal_projector." })
        {
            if (name.StartsWith(part, StringComparison.Ordinal) || name.StartsWith($"model.{part}", StringComparison.Ordinal))
                return null;
        }

        const string Decoder = "language_model.";
        return name.StartsWith(Decoder, StringComparison.Ordinal) ? name[Decoder.Length..]
            : name.StartsWith($"model.{Decoder}", StringComparison.Ordinal) ? $"model.{name[$"model.{Decoder}".Length..]}"
            : name;
    }
}

/// <summary>The keys of one family, named without its prefix.</summary>
internal sealed class Keys(FolderMetadata metadata, string family)
{
    /// <summary>Sets <c>family.name</c>, unless the value is null.</summary>
    internal void Set(string name, object? value) => metadata.Set($"{family}.{name}", value);
}
