using Pure.Engine.Layers;

namespace Pure.Engine.Reference;

/// <summary>
/// Rotary position embedding (Su et al. 2021, arXiv:2104.09864, equation 34). Frequencies and magnitude are worked out again from the
/// file's numbers, with the runtime's powers and logarithms.
/// </summary>
internal sealed class Rotation
{
    private readonly double[] _frequencies;
    private readonly bool _adjacent;

    internal Rotation(RotaryEmbedding rope)
    {
        int pairs = rope.Dimensions / 2;
        _frequencies = [.. Enumerable.Range(0, pairs).Select(pair => Frequency(rope.Scaling, rope.Theta, pair, pairs))];
        Magnitude = rope.Scaling is RotaryScaling.Yarn yarn
            ? yarn.FixedMagnitude ?? (yarn.ExtraMagnitude * Sharpening(yarn, 0.1))
            : 1;
        _adjacent = rope.PairsAdjacent;
    }

    /// <summary>Angle per position of each pair.</summary>
    internal ReadOnlySpan<double> Frequencies => _frequencies;

    /// <summary>Factor on cosines and sines.</summary>
    internal double Magnitude { get; }

    /// <summary>Turns pair i of a head's rotary dimensions by position · frequency[i], in place.</summary>
    internal void InPlace(int position, Span<double> head)
    {
        int pairs = _frequencies.Length;
        for (int pair = 0; pair < pairs; pair++)
        {
            int first = _adjacent ? 2 * pair : pair;
            int second = _adjacent ? first + 1 : pair + pairs;
            (double sin, double cos) = Math.SinCos(position * _frequencies[pair]);
            (double a, double b) = (head[first], head[second]);
            head[first] = ((a * cos) - (b * sin)) * Magnitude;
            head[second] = ((a * sin) + (b * cos)) * Magnitude;
        }
    }

    /// <summary>The factor on the scores of latent attention (DeepSeek's softmax_scale).</summary>
    internal static double ScoreFactor(RotaryScaling scaling) =>
        scaling is RotaryScaling.Yarn yarn ? Math.Pow(Sharpening(yarn, yarn.ScoreWeight), 2) : 1;

    /// <summary>θ^(-2i / d), stretched.</summary>
    private static double Frequency(RotaryScaling scaling, double theta, int pair, int pairs)
    {
        double trained = 1 / Math.Pow(theta, (double)pair / pairs);
        return scaling switch
        {
            RotaryScaling.None => trained,
            RotaryScaling.Linear linear => trained / linear.Factor,
            RotaryScaling.Ntk ntk => OfBase(theta * Math.Pow(ntk.Factor, pairs / (pairs - 1.0))),
            RotaryScaling.Dynamic dynamic => OfBase(theta * Math.Pow(Growth(dynamic), pairs / (pairs - 1.0))),
            RotaryScaling.PerPair perPair => trained / perPair.Factors[pair],
            RotaryScaling.Llama3 llama => ByWaveLength(llama, trained),
            RotaryScaling.Yarn yarn => ByParts(yarn, trained, pair, pairs, theta),
            _ => throw new NotSupportedException($"The reference lacks the scaling {scaling.GetType().Name}."),
        };

        double OfBase(double stretched) => 1 / Math.Pow(stretched, (double)pair / pairs);
    }

    /// <summary>What the published code of dynamic NTK stretches a text of the declared length by.</summary>
    private static double Growth(RotaryScaling.Dynamic scaling) => scaling.Context <= scaling.OriginalContext
        ? 1
        : (scaling.Factor * (scaling.Context / scaling.OriginalContext)) - (scaling.Factor - 1);

    /// <summary>Llama 3.1's published code: three ranges of wave lengths.</summary>
    private static double ByWaveLength(RotaryScaling.Llama3 scaling, double frequency)
    {
        double wave = 2 * Math.PI / frequency;
        if (wave < scaling.OriginalContext / scaling.HighFactor)
            return frequency;
        if (wave > scaling.OriginalContext / scaling.LowFactor)
            return frequency / scaling.Factor;
        double smooth = ((scaling.OriginalContext / wave) - scaling.LowFactor) / (scaling.HighFactor - scaling.LowFactor);
        return ((1 - smooth) * frequency / scaling.Factor) + (smooth * frequency);
    }

    /// <summary>YaRN's "NTK-by-parts" (arXiv:2309.00071, section 3.2), with the ramp over pairs of its published code.</summary>
    private static double ByParts(RotaryScaling.Yarn scaling, double frequency, int pair, int pairs, double theta)
    {
        double from = PairOf(scaling.BetaFast);
        double to = PairOf(scaling.BetaSlow);
        if (scaling.Truncate)
            (from, to) = (Math.Floor(from), Math.Ceiling(to));
        from = Math.Max(from, 0);
        to = Math.Min(to, (2 * pairs) - 1);
        if (from == to)
            to += 0.001; // the published code's
        double interpolated = Math.Clamp((pair - from) / (to - from), 0, 1);
        return ((1 - interpolated) * frequency) + (interpolated * frequency / scaling.Factor);

        // The pair that turns so many times within the original context, as a fraction.
        double PairOf(double turns) => pairs * Math.Log(scaling.OriginalContext / (turns * 2 * Math.PI), theta);
    }

    /// <summary>YaRN's √(1/t), equation 22.</summary>
    private static double Sharpening(RotaryScaling.Yarn scaling, double weight) =>
        scaling.Factor > 1 ? 1 + (weight * Math.Log(scaling.Factor)) : 1;
}
