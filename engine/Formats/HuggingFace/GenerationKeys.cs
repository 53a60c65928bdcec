namespace Pure.Engine.Formats.HuggingFace;

/// <summary>
/// What a folder says of writing with its model: the tokens that end a text, and in <c>generation_config.json</c> how the next token
/// is best chosen. The keys are those in which GGUF files say the same.
/// </summary>
internal static class GenerationKeys
{
    /// <param name="metadata">Gets the keys.</param>
    /// <param name="generation"><c>generation_config.json</c>, where there is one.</param>
    /// <param name="configs">Configurations that may name tokens that end a text, besides.</param>
    internal static void Set(FolderMetadata metadata, JsonFile? generation, params ReadOnlySpan<JsonFile> configs)
    {
        var ends = new SortedSet<long>();
        foreach (JsonFile? config in (ReadOnlySpan<JsonFile?>)[generation, .. configs])
            ends.UnionWith(config?.FindIntegerOrIntegers("eos_token_id") ?? []);
        if (ends.Count > 0)
            metadata.Set("tokenizer.ggml.eos_token_ids", ends.ToArray());

        if (generation is null)
            return;
        bool isGreedy = generation.FindFlag("do_sample") == false;
        double? temperature = generation.FindNumber("temperature");
        metadata.Set("general.sampling.temp", isGreedy ? 0 : temperature);
        metadata.Set("general.sampling.top_k", generation.FindInteger("top_k"));
        metadata.Set("general.sampling.top_p", generation.FindNumber("top_p"));
        metadata.Set("general.sampling.min_p", generation.FindNumber("min_p"));
        metadata.Set("general.sampling.penalty_repeat", generation.FindNumber("repetition_penalty"));
    }
}
