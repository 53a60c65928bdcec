using Pure.Engine.Kernels;

namespace Pure.Engine.Layers;

/// <summary>How rotary frequencies are stretched beyond the context a model was trained on.</summary>
internal abstract record RotaryScaling
{
    /// <summary>Angle per position of each of <paramref name="pairs"/> pairs: base^(-i / pairs), then scaled.</summary>
    internal double[] Frequencies(double theta, int pairs)
    {
        var frequencies = new double[pairs];
        for (int pair = 0; pair < pairs; pair++)
            frequencies[pair] = Scale(Elementary.Pow(theta, -(double)pair / pairs), pair, pairs, theta);
        return frequencies;
    }

    /// <summary>Factor on cosines and sines.</summary>
    internal virtual double Magnitude => 1;

    /// <summary>Factor on the scores of latent attention, which takes its magnitude there.</summary>
    internal virtual double ScoreFactor => 1;

    private protected abstract double Scale(double frequency, int pair, int pairs, double theta);

    /// <summary>Frequencies as trained.</summary>
    internal sealed record None : RotaryScaling
    {
        private protected override double Scale(double frequency, int pair, int pairs, double theta) => frequency;
    }

    /// <summary>Positions divided by a factor (Chen et al. 2023, arXiv:2306.15595).</summary>
    internal sealed record Linear(double Factor) : RotaryScaling
    {
        private protected override double Scale(double frequency, int pair, int pairs, double theta) => frequency / Factor;
    }

    /// <summary>
    /// "NTK-aware" (bloc97 2023; Peng et al. 2023, arXiv:2309.00071, section 3.1): base' = base · factor^(d / (d - 2)) for d rotary dimensions.
    /// </summary>
    internal sealed record Ntk(double Factor) : RotaryScaling
    {
        private protected override double Scale(double frequency, int pair, int pairs, double theta) => Rebase(frequency, Factor, pair, pairs);

        /// <summary>base'^(-i / pairs), which is base^(-i / pairs) · factor^(-i / (pairs - 1)).</summary>
        internal static double Rebase(double frequency, double factor, int pair, int pairs) =>
            pair == 0 ? frequency : frequency * Elementary.Pow(factor, -(double)pair / (pairs - 1));
    }

    /// <summary>
    /// Dynamic NTK (arXiv:2309.00071, appendix B.2; <c>rope_type: dynamic</c>): NTK-aware by factor · length / original - (factor - 1), with
    /// texts of up to the original context as trained. The published code takes the length of the moment, so that the keys of a text
    /// would depend on how it was cut and read; here it is declared beforehand. A text of that length, read at once, is the same in both.
    /// </summary>
    /// <param name="Factor">How fast the base grows with the length.</param>
    /// <param name="OriginalContext">Context the model was trained on.</param>
    /// <param name="Context">Declared length.</param>
    internal sealed record Dynamic(double Factor, double OriginalContext, double Context) : RotaryScaling
    {
        private protected override double Scale(double frequency, int pair, int pairs, double theta)
        {
            double length = Math.Max(Context, OriginalContext);
            return Ntk.Rebase(frequency, (Factor * length / OriginalContext) - (Factor - 1), pair, pairs);
        }
    }

    /// <summary>Each pair's frequency divided by a factor of its own (Llama 3's <c>rope_freqs.weight</c>).</summary>
    internal sealed record PerPair(float[] Factors) : RotaryScaling
    {
        private protected override double Scale(double frequency, int pair, int pairs, double theta) => frequency / Factors[pair];
    }

    /// <summary>
    /// Llama 3.1's scaling (arXiv:2407.21783; <c>rope_type: llama3</c>): pairs whose wave is short against the original context keep
    /// their frequency, long ones are divided by the factor, those between are interpolated.
    /// </summary>
    /// <param name="Factor">Context stretched by this factor.</param>
    /// <param name="OriginalContext">Context the model was trained on.</param>
    /// <param name="LowFactor">Waves longer than the original context / this are divided.</param>
    /// <param name="HighFactor">Waves shorter than the original context / this are kept.</param>
    internal sealed record Llama3(double Factor, double OriginalContext, double LowFactor, double HighFactor) : RotaryScaling
    {
        private protected override double Scale(double frequency, int pair, int pairs, double theta)
        {
            double waves = OriginalContext * frequency / (2 * Math.PI);
            double kept = Math.Clamp((waves - LowFactor) / (HighFactor - LowFactor), 0, 1);
            return ((1 - kept) * frequency / Factor) + (kept * frequency);
        }
    }

    /// <summary>
    /// YaRN (Peng et al. 2023, arXiv:2309.00071, section 3.2): fast pairs keep their frequency, slow ones are divided by the factor,
    /// with a linear ramp between, and attention is made sharper by a magnitude on cosines and sines.
    /// </summary>
    /// <param name="Factor">Context stretched by this factor.</param>
    /// <param name="OriginalContext">Context the model was trained on.</param>
    /// <param name="BetaFast">Pairs that turn more often than this within the original context keep their frequency.</param>
    /// <param name="BetaSlow">Pairs that turn less often than this are divided.</param>
    internal sealed record Yarn(double Factor, double OriginalContext, double BetaFast, double BetaSlow) : RotaryScaling
    {
        /// <summary>Whether the ramp begins and ends at whole pairs, as in the reference code.</summary>
        internal bool Truncate { get; init; } = true;

        /// <summary>Factor on cosines and sines outright; null for the paper's 0.1 · ln(factor) + 1 times the one below.</summary>
        internal double? FixedMagnitude { get; init; }

        /// <summary>Comes on top of the paper's magnitude.</summary>
        internal double ExtraMagnitude { get; init; } = 1;

        /// <summary>0.1 · mscale_all_dim of DeepSeek's code: weight of ln(factor) in the factor on scores; 0 for none.</summary>
        internal double ScoreWeight { get; init; }

        internal override double Magnitude => FixedMagnitude ?? (ExtraMagnitude * Mscale(0.1));

        internal override double ScoreFactor => Mscale(ScoreWeight) * Mscale(ScoreWeight);

        /// <summary>weight · ln(factor) + 1, the paper's equation 22 with a weight of 0.1.</summary>
        private double Mscale(double weight) => Factor <= 1 ? 1 : (weight * Elementary.Log(Factor)) + 1;

        private protected override double Scale(double frequency, int pair, int pairs, double theta)
        {
            // Bounds are those of the reference code: floor and ceil, clamped to the number of rotary dimensions.
            double low = CorrectionDimension(BetaFast, pairs, theta);
            double high = CorrectionDimension(BetaSlow, pairs, theta);
            low = Math.Max(0, Truncate ? Math.Floor(low) : low);
            high = Math.Min((2 * pairs) - 1, Truncate ? Math.Ceiling(high) : high);
            double ramp = Math.Clamp((pair - low) / (high == low ? 0.001 : high - low), 0, 1);
            return (frequency / Factor * ramp) + (frequency * (1 - ramp));
        }

        /// <summary>The (fractional) pair that turns <paramref name="rotations"/> times within the original context.</summary>
        private double CorrectionDimension(double rotations, int pairs, double theta) =>
            pairs * Elementary.Log(OriginalContext / (rotations * 2 * Math.PI)) / Elementary.Log(theta);
    }
}
