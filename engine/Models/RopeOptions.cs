namespace Pure.Engine.Models;

/// <summary>Ways to stretch rotary positions beyond the context that a model was trained on.</summary>
public enum RopeScalingType
{
    /// <summary>Positions as trained.</summary>
    None,

    /// <summary>Positions divided by the factor (Chen et al. 2023, arXiv:2306.15595).</summary>
    Linear,

    /// <summary>"NTK-aware": the base raised so that the slowest frequency is divided by the factor and the fastest is kept.</summary>
    Ntk,

    /// <summary>
    /// NTK-aware with a factor that grows with the length of the text (Peng et al. 2023, arXiv:2309.00071, appendix B.2). The length is
    /// the declared one, <see cref="RopeOptions.Context"/>, and not that of the moment: so bits do not depend on how a text was cut.
    /// </summary>
    Dynamic,

    /// <summary>YaRN (arXiv:2309.00071, section 3): fast frequencies kept, slow ones divided, and attention sharpened.</summary>
    Yarn,

    /// <summary>Llama 3.1's (arXiv:2407.21783): as YaRN, by wave length and without sharpening.</summary>
    Llama3,
}

/// <summary>
/// What to change of the rotary positions that a file describes. What is null stays as the file has it. Each choice is its own function,
/// equally repeatable.
/// </summary>
/// <remarks>
/// With a type or a factor, the context becomes <see cref="OriginalContext"/> times the factor. Layers whose window slides and whose
/// positions have a base of their own (Gemma 3) are never stretched.
/// </remarks>
public sealed record RopeOptions
{
    /// <summary>How frequencies are stretched.</summary>
    public RopeScalingType? Scaling { get; init; }

    /// <summary>By how much; above 0.</summary>
    public double? Factor { get; init; }

    /// <summary>Base of the frequencies; above 1.</summary>
    public double? FrequencyBase { get; init; }

    /// <summary>Context the model was trained on, in tokens.</summary>
    public int? OriginalContext { get; init; }

    /// <summary>YaRN: frequencies that turn more often than this within the original context are kept.</summary>
    public double? YarnBetaFast { get; init; }

    /// <summary>YaRN: frequencies that turn less often than this within the original context are divided.</summary>
    public double? YarnBetaSlow { get; init; }

    /// <summary>YaRN: factor on top of the paper's sharpening.</summary>
    public double? YarnAttentionFactor { get; init; }

    /// <summary>
    /// The length that texts are declared to have, in tokens, which dynamic scaling goes by: they get the positions of a text of this
    /// length, up to the original context those as trained. Other types do not use it.
    /// </summary>
    public int? Context { get; init; }

    /// <summary>Whether the scaling of the file is replaced or changed.</summary>
    internal bool ChangesScaling => Scaling is not null || Factor is not null;

    /// <exception cref="InvalidRequestException">A number is outside its range.</exception>
    internal void Check()
    {
        Require(Factor, 0, "factor");
        Require(FrequencyBase, 1, "frequency base");
        Require(OriginalContext, 0, "original context");
        Require(YarnBetaFast, 0, "fast beta");
        Require(YarnBetaSlow, 0, "slow beta");
        Require(YarnAttentionFactor, 0, "attention factor");
        Require(Context, 0, "context");
        if (Scaling == RopeScalingType.None && Factor is { } factor and not 1)
            throw new InvalidRequestException($"Positions without scaling cannot be stretched by {factor}; leave the factor out or choose a scaling.");
    }

    private static void Require(double? value, double above, string what)
    {
        if (value is { } number && !(number > above && number <= int.MaxValue))
            throw new InvalidRequestException($"The {what} of rotary positions is {number}; give a number above {above}.");
    }
}
