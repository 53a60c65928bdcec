using Pure.Engine.Layers;

namespace Pure.Engine.Reference;

/// <summary>
/// The choice of a token's experts (DeepSeek-V2, arXiv:2405.04434, section 2.2; groups and bias: DeepSeek-V3, arXiv:2412.19437,
/// equations 12–16), by sorting. Sorts are stable: ties go to the lower index.
/// </summary>
internal static class Routing
{
    /// <param name="shape">How experts are chosen.</param>
    /// <param name="bias">Added to the scores for choosing only <c>[experts]</c>, or null.</param>
    /// <param name="logits">Router logits <c>[experts]</c>.</param>
    /// <returns>The chosen experts and their weights, best first.</returns>
    internal static (int Expert, double Weight)[] Choose(RouterShape shape, float[]? bias, ReadOnlySpan<double> logits)
    {
        double[] scores = Scores(shape.Gate, logits);
        double[] ranking = [.. scores.Select((score, expert) => score + (bias?[expert] ?? 0))];
        int[] chosen =
        [
            .. Eligible(shape, ranking).OrderByDescending(expert => ranking[expert]).Take(shape.Used),
        ];
        double[] weights = [.. chosen.Select(expert => scores[expert])];
        if (shape.Gate == GateFunction.SoftmaxOfChosen)
        {
            Softmax.InPlace(weights);
        }
        else
        {
            // 1e-20 is the published code's.
            double divisor = shape.NormalizeWeights ? weights.Sum() + 1e-20 : 1;
            weights = [.. weights.Select(weight => weight / divisor * shape.WeightScale)];
        }

        return [.. chosen.Zip(weights)];
    }

    private static double[] Scores(GateFunction gate, ReadOnlySpan<double> logits)
    {
        double[] scores = logits.ToArray();
        switch (gate)
        {
            case GateFunction.Softmax:
                Softmax.InPlace(scores);
                return scores;
            case GateFunction.Sigmoid:
                return [.. scores.Select(Gating.Sigmoid)];
            case GateFunction.SoftmaxOfChosen:
                return scores;
            default:
                throw new ArgumentOutOfRangeException(nameof(gate), gate, "The reference lacks this gate function.");
        }
    }

    /// <summary>The experts of the best groups, ascending; a group counts by its best expert or its two best.</summary>
    private static IEnumerable<int> Eligible(RouterShape shape, double[] ranking)
    {
        int size = shape.Experts / shape.Groups;
        int counted = shape.GroupScore == GroupScore.Max ? 1 : 2;
        HashSet<int> kept =
        [
            .. Enumerable.Range(0, shape.Groups)
                .OrderByDescending(group => ranking.Skip(group * size).Take(size).OrderDescending().Take(counted).Sum())
                .Take(shape.UsedGroups),
        ];
        return Enumerable.Range(0, shape.Experts).Where(expert => kept.Contains(expert / size));
    }
}
