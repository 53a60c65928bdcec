using Pure.Engine.Formats;

namespace Pure.Engine.Models;

/// <summary>The one list of architectures: a new family is a file beside this one and a line here.</summary>
internal static class Family
{
    private static readonly Dictionary<string, Func<WeightReader, int, Transformer>> Builders = new()
    {
        ["llama"] = Llama.Build,
        ["qwen2"] = Qwen2.Build,
        ["qwen2moe"] = Qwen2Moe.Build,
        ["qwen3"] = Qwen3.Build,
        ["qwen3moe"] = Qwen3Moe.Build,
        ["olmoe"] = Olmoe.Build,
        ["deepseek"] = DeepSeek.Build,
        ["deepseek2"] = DeepSeek2.Build,
        ["gpt-oss"] = GptOss.Build,
        ["gemma3"] = Gemma3.Build,
        ["granitemoe"] = GraniteMoe.Build,
    };

    /// <summary>The architectures that are supported.</summary>
    internal static IReadOnlyCollection<string> Names => Builders.Keys;

    /// <exception cref="ModelFormatException">The architecture is unknown, or the file does not fit it.</exception>
    internal static Transformer Build(string architecture, WeightReader reader, ModelFile file)
    {
        if (!Builders.TryGetValue(architecture, out var build))
        {
            throw new ModelFormatException(
                $"{file.Path}: architecture '{architecture}' is not supported; supported are {string.Join(", ", Names)}.")
            {
                UnsupportedArchitecture = architecture,
            };
        }

        return build(reader, VocabularySize(file));
    }

    /// <summary>Rows of the embedding, which the file's vocabulary must match where it has one.</summary>
    private static int VocabularySize(ModelFile file)
    {
        if (!file.TryGetTensor("token_embd.weight", out var embedding))
            throw new ModelFormatException($"{file.Path}: tensor 'token_embd.weight' is missing; the file holds no model, or only a part of one.");
        if (embedding.Shape.Count != 2 || embedding.Shape[0] > int.MaxValue / 2)
        {
            throw new ModelFormatException(
                $"{file.Path}: tensor 'token_embd.weight' has shape [{string.Join(", ", embedding.Shape)}], expected [vocabulary, embedding]; the file is damaged.");
        }

        long rows = embedding.Shape[0];
        if (file.Metadata.FindCount("tokenizer.ggml.tokens") is { } tokens && tokens != rows)
        {
            throw new ModelFormatException(
                $"{file.Path}: the vocabulary has {tokens} tokens and 'token_embd.weight' has {rows} rows, expected as many; convert the file again.");
        }

        return (int)rows;
    }
}
