using Pure.Engine.Formats.Gguf;
using Pure.Tokenizers;

namespace Pure.Serve.Benchmark;

/// <summary>
/// A byte-level vocabulary for models that nobody trained, so that readers that insist on one open them: every byte, pairs of letters
/// with their merges, a beginning and an end, and unused tokens up to the size asked for.
/// </summary>
internal static class PlainVocabulary
{
    private const int Bytes = 256;
    private const int Normal = 1;
    private const int Control = 3;
    private const int Unused = 5;

    /// <summary>Adds the keys <c>tokenizer.ggml.*</c> for <paramref name="size"/> tokens, at least 258.</summary>
    internal static void AddTo(GgufKeys keys, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, Bytes + 2);
        var tokens = new List<string>(size) { "<|begin|>", "<|end|>" };
        for (int value = 0; value < Bytes; value++)
            tokens.Add(ByteAlphabet.Spell((byte)value).ToString());
        string[] merges = [.. Pairs().Take(size - tokens.Count)];
        tokens.AddRange(merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)));
        int used = tokens.Count;
        for (int id = used; id < size; id++)
            tokens.Add($"<|unused {id}|>");

        keys.Add("tokenizer.ggml.model", "gpt2")
            .Add("tokenizer.ggml.pre", "gpt-2")
            .Add("tokenizer.ggml.tokens", tokens)
            .Add("tokenizer.ggml.token_type", [.. Enumerable.Range(0, size).Select(id => id < 2 ? Control : id < used ? Normal : Unused)])
            .Add("tokenizer.ggml.merges", merges)
            .Add("tokenizer.ggml.bos_token_id", 0u)
            .Add("tokenizer.ggml.eos_token_id", 1u)
            .Add("tokenizer.ggml.add_bos_token", true);
    }

    /// <summary>A blank with each letter, then all pairs of letters, as merges are written.</summary>
    private static IEnumerable<string> Pairs()
    {
        char blank = ByteAlphabet.Spell((byte)' ');
        for (char right = 'a'; right <= 'z'; right++)
            yield return $"{blank} {right}";
        for (char left = 'a'; left <= 'z'; left++)
        {
            for (char right = 'a'; right <= 'z'; right++)
                yield return $"{left} {right}";
        }
    }
}
