using Pure.Engine.Layers;

namespace Pure.Engine.Tests.Models;

/// <summary>Routing against the papers' formulas, written plainly in double precision.</summary>
public class RouterTests
{
    [Theory]
    [InlineData(GateFunction.Softmax, 1, 1, false, 1f, false)]
    [InlineData(GateFunction.Softmax, 1, 1, true, 2.5f, false)]
    [InlineData(GateFunction.Sigmoid, 4, 2, true, 2.5f, true)]
    [InlineData(GateFunction.Sigmoid, 8, 3, false, 1f, true)]
    [InlineData(GateFunction.Softmax, 4, 2, false, 16f, false)]
    internal void Choices_and_weights_follow_the_formula(GateFunction gate, int groups, int usedGroups, bool normalize, float scale, bool biased)
    {
        var random = new Random(5);
        var shape = new RouterShape(Experts: 16, Used: 3, gate, groups, usedGroups, normalize, scale);
        for (int round = 0; round < 200; round++)
        {
            float[] logits = [.. Enumerable.Range(0, 16).Select(_ => (float)(4 * random.NextDouble()) - 2)];
            float[]? bias = biased ? [.. Enumerable.Range(0, 16).Select(_ => (float)random.NextDouble())] : null;
            var experts = new int[3];
            var weights = new float[3];
            new Router(shape, bias).Choose(logits, experts, weights);

            (int Expert, double Weight)[] expected = Expected(shape, logits, bias);
            Assert.Equal(expected.Select(choice => choice.Expert), experts);
            for (int rank = 0; rank < 3; rank++)
                Assert.Equal(expected[rank].Weight, weights[rank], 1e-5);
        }
    }

    [Fact]
    public void Ties_go_to_the_lower_expert()
    {
        var shape = new RouterShape(Experts: 6, Used: 3, GateFunction.Softmax, 1, 1, false, 1);
        var experts = new int[3];
        new Router(shape, bias: null).Choose([0, 1, 0, 1, 1, 0], experts, new float[3]);
        Assert.Equal([1, 3, 4], experts);
    }

    private static (int Expert, double Weight)[] Expected(RouterShape shape, float[] logits, float[]? bias)
    {
        double total = logits.Sum(logit => Math.Exp(logit));
        double[] scores = [.. logits.Select(x => shape.Gate == GateFunction.Softmax ? Math.Exp(x) / total : 1 / (1 + Math.Exp(-x)))];
        double[] biased = [.. scores.Select((score, i) => score + (bias?[i] ?? 0))];
        int size = shape.Experts / shape.Groups;
        HashSet<int> kept = [.. Enumerable.Range(0, shape.Groups)
            .OrderByDescending(group => biased.Skip(group * size).Take(size).OrderDescending().Take(2).Sum())
            .Take(shape.UsedGroups)];
        int[] chosen = [.. Enumerable.Range(0, shape.Experts).Where(i => kept.Contains(i / size)).OrderByDescending(i => biased[i]).Take(shape.Used)];
        double sum = shape.NormalizeWeights ? chosen.Sum(i => scores[i]) : 1;
        return [.. chosen.Select(i => (i, scores[i] / sum * shape.WeightScale))];
    }
}
