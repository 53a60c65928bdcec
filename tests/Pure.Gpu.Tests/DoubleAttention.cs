using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

/// <summary>softmax(q·K · scale)·V in double precision.</summary>
internal static class DoubleAttention
{
    internal static double[] Of(CachedTexts texts, AttentionShape shape, float[] queries, float[]? sinks, (int Text, int Position)[] rows)
    {
        double[] y = new double[rows.Length * shape.Heads * shape.ValueSize];
        for (int row = 0; row < rows.Length; row++)
        {
            for (int head = 0; head < shape.Heads; head++)
            {
                int kvHead = head / shape.Sharing;
                int first = shape.Window == 0 ? 0 : Math.Max(0, rows[row].Position + 1 - shape.Window);
                float[][] cached = [.. Enumerable.Range(first, rows[row].Position + 1 - first).Select(position => texts.Row(rows[row].Text, position))];
                double[] scores = [.. cached.Select(columns => Score(columns, kvHead * shape.KeySize, ((row * shape.Heads) + head) * shape.KeySize))];
                double max = Math.Max(scores.Max(), sinks?[head] ?? double.NegativeInfinity);
                double sum = scores.Sum(score => Math.Exp(score - max)) + (sinks is null ? 0 : Math.Exp(sinks[head] - max));
                for (int column = 0; column < shape.ValueSize; column++)
                {
                    int value = shape.ValueColumn + (kvHead * shape.ValueSize) + column;
                    y[(((row * shape.Heads) + head) * shape.ValueSize) + column] =
                        cached.Zip(scores, (columns, score) => Math.Exp(score - max) / sum * columns[value]).Sum();
                }
            }
        }

        return y;

        double Score(float[] columns, int key, int query)
        {
            double dot = 0;
            for (int column = 0; column < shape.KeySize; column++)
                dot += (double)queries[query + column] * columns[key + column];
            return dot * shape.Scale;
        }
    }

    /// <summary>Squared error over squared size.</summary>
    internal static double Nmse(IReadOnlyList<double> expected, IReadOnlyList<float> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        return expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum() / expected.Sum(e => e * e);
    }
}
