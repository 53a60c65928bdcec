using Pure.Engine.Kernels;

namespace Pure.Engine.Layers;

/// <summary>What turns a router's logits into scores.</summary>
internal enum GateFunction
{
    /// <summary>softmax over all experts.</summary>
    Softmax = 1,

    /// <summary>Each expert's sigmoid on its own.</summary>
    Sigmoid = 2,

    /// <summary>Experts are chosen by their logits; softmax over the chosen ones.</summary>
    SoftmaxOfChosen = 3,
}

/// <summary>What a group of experts counts for when groups are chosen.</summary>
internal enum GroupScore
{
    /// <summary>The sum of its two best biased scores (DeepSeek-V3).</summary>
    SumOfTwoBest,

    /// <summary>Its best score (DeepSeek-V2).</summary>
    Max,
}

/// <summary>How a mixture chooses experts.</summary>
/// <param name="Experts">Routed experts.</param>
/// <param name="Used">Experts per token.</param>
/// <param name="Gate">Score function.</param>
/// <param name="Groups">Experts are cut into this many groups of equal size; 1 for none.</param>
/// <param name="UsedGroups">Groups a token's experts may come from.</param>
/// <param name="NormalizeWeights">Whether the chosen experts' weights are made to sum to 1.</param>
/// <param name="WeightScale">Factor on the weights (routed_scaling_factor).</param>
/// <param name="GroupScore">What a group counts for.</param>
internal readonly record struct RouterShape(
    int Experts,
    int Used,
    GateFunction Gate,
    int Groups,
    int UsedGroups,
    bool NormalizeWeights,
    float WeightScale,
    GroupScore GroupScore = GroupScore.SumOfTwoBest);

/// <summary>
/// Top-k routing in 32-bit floats (DeepSeek-V2, arXiv:2405.04434, section 2.2; group-limited, with a selection bias: DeepSeek-V3,
/// arXiv:2412.19437, equations 12–16). Experts are chosen by score + bias and weighed by the score alone; a group counts by its
/// best score or the sum of its two best, bias included; ties go to the lower index.
/// </summary>
/// <param name="shape">How experts are chosen.</param>
/// <param name="bias">Selection bias <c>[experts]</c>, or null.</param>
internal sealed class Router(RouterShape shape, float[]? bias)
{
    /// <summary>Largest number of experts; a row's scores live on the stack.</summary>
    internal const int MaxExperts = 4096;

    /// <summary>How many rows chose each expert <c>[experts]</c>, where that is counted; null where it is not.</summary>
    internal long[]? Chosen { get; private set; }

    /// <summary>Counts from 0 on.</summary>
    internal void CountChosen() => Chosen = new long[shape.Experts];

    /// <summary>Counts a row's experts, where they are counted; rows may come from several threads.</summary>
    internal void Count(ReadOnlySpan<int> experts)
    {
        if (Chosen is not { } chosen)
            return;
        foreach (int expert in experts)
            Interlocked.Increment(ref chosen[expert]);
    }

    /// <param name="logits">Router logits <c>[experts]</c>.</param>
    /// <param name="experts">The chosen experts, best first <c>[used]</c>.</param>
    /// <param name="weights">Their weights <c>[used]</c>.</param>
    internal void Choose(ReadOnlySpan<float> logits, Span<int> experts, Span<float> weights)
    {
        Span<float> scores = stackalloc float[shape.Experts];
        Span<float> ranking = stackalloc float[shape.Experts];
        Score(logits, scores);
        for (int expert = 0; expert < scores.Length; expert++)
            ranking[expert] = bias is null ? scores[expert] : scores[expert] + bias[expert];
        if (shape.Groups > 1)
            ExcludeGroups(ranking);

        float sum = 0;
        for (int rank = 0; rank < shape.Used; rank++)
        {
            int best = ArgMax(ranking);
            ranking[best] = float.NegativeInfinity;
            experts[rank] = best;
            weights[rank] = scores[best];
            sum += scores[best];
        }

        if (shape.Gate == GateFunction.SoftmaxOfChosen)
        {
            Softmax(weights);
            return;
        }

        // Sigmoids of very negative logits may all be zero: the published code adds the same 1e-20.
        float scale = shape.NormalizeWeights ? shape.WeightScale / (sum + 1e-20f) : shape.WeightScale;
        foreach (ref float weight in weights)
            weight *= scale;
    }

    private void Score(ReadOnlySpan<float> logits, Span<float> scores)
    {
        logits[..shape.Experts].CopyTo(scores);
        switch (shape.Gate)
        {
            case GateFunction.Softmax:
                Softmax(scores);
                break;
            case GateFunction.Sigmoid:
                foreach (ref float score in scores)
                    score = Elementary.Sigmoid(score);
                break;
        }
    }

    private static void Softmax(Span<float> values)
    {
        float max = values[ArgMax(values)];
        float sum = 0;
        foreach (ref float value in values)
        {
            value = Elementary.Exp(value - max);
            sum += value;
        }

        foreach (ref float value in values)
            value /= sum;
    }

    /// <summary>Takes the experts of all but the best groups out of the ranking.</summary>
    private void ExcludeGroups(Span<float> ranking)
    {
        int size = shape.Experts / shape.Groups;
        Span<float> groups = stackalloc float[shape.Groups];
        for (int group = 0; group < groups.Length; group++)
        {
            ReadOnlySpan<float> members = ranking.Slice(group * size, size);
            groups[group] = shape.GroupScore == GroupScore.Max ? members[ArgMax(members)] : SumOfTwoBest(members);
        }

        Span<bool> kept = stackalloc bool[shape.Groups];
        kept.Clear();
        for (int rank = 0; rank < shape.UsedGroups; rank++)
        {
            int best = ArgMax(groups);
            groups[best] = float.NegativeInfinity;
            kept[best] = true;
        }

        for (int group = 0; group < groups.Length; group++)
        {
            if (!kept[group])
                ranking.Slice(group * size, size).Fill(float.NegativeInfinity);
        }
    }

    private static float SumOfTwoBest(ReadOnlySpan<float> values)
    {
        float best = float.NegativeInfinity;
        float second = float.NegativeInfinity;
        foreach (float value in values)
        {
            if (value > best)
                (best, second) = (value, best);
            else if (value > second)
                second = value;
        }

        return values.Length == 1 ? best : best + second;
    }

    private static int ArgMax(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int index = 1; index < values.Length; index++)
        {
            if (values[index] > values[best])
                best = index;
        }

        return best;
    }
}
