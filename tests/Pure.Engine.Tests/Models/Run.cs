using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>Plain ways to run a model in tests.</summary>
internal static class Run
{
    /// <summary>Logits of every position <c>[tokens, vocabulary]</c>, the prompt cut into chunks.</summary>
    public static float[] Logits(Model model, ReadOnlySpan<int> tokens, int chunk = int.MaxValue)
    {
        using KvCache cache = model.CreateCache(tokens.Length);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(Math.Min(chunk, tokens.Length));
        var logits = new List<float>();
        for (int start = 0; start < tokens.Length; start += batch.Capacity)
        {
            batch.Clear();
            foreach (int token in tokens[start..Math.Min(tokens.Length, start + batch.Capacity)])
                batch.Add(sequence, token, wantsLogits: true);
            Logits rows = model.Forward(batch);
            for (int row = 0; row < rows.Count; row++)
                logits.AddRange(rows[row]);
        }

        return [.. logits];
    }

    /// <summary>The likeliest continuation, ties to the lower id.</summary>
    public static int[] Greedy(Model model, ReadOnlySpan<int> prompt, int count)
    {
        using KvCache cache = model.CreateCache(prompt.Length + count);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(prompt.Length);
        for (int i = 0; i < prompt.Length; i++)
            batch.Add(sequence, prompt[i], wantsLogits: i == prompt.Length - 1);

        var ids = new int[count];
        for (int i = 0; i < count; i++)
        {
            ids[i] = ArgMax(model.Forward(batch)[0]);
            batch.Clear();
            batch.Add(sequence, ids[i], wantsLogits: true);
        }

        return ids;
    }

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int id = 1; id < logits.Length; id++)
        {
            if (logits[id] > logits[best])
                best = id;
        }

        return best;
    }
}
