using System.Globalization;
using Pure.Engine;
using Pure.Engine.Formats;

namespace Pure.Chat;

/// <summary>
/// How a model's makers would have its tokens chosen: the <c>general.sampling.*</c> keys of a GGUF file, or the
/// <c>generation_config.json</c> of a folder. What they leave open is <see langword="null"/>.
/// </summary>
public sealed record SamplingDefaults
{
    private const string Prefix = "general.sampling.";

    /// <summary><c>temp</c>, in a folder <c>temperature</c>; <c>"do_sample": false</c> makes it 0.</summary>
    public float? Temperature { get; init; }

    /// <summary><c>top_k</c></summary>
    public int? TopK { get; init; }

    /// <summary><c>top_p</c></summary>
    public float? TopP { get; init; }

    /// <summary><c>min_p</c></summary>
    public float? MinP { get; init; }

    /// <summary><c>penalty_repeat</c>, in a folder <c>repetition_penalty</c>.</summary>
    public float? RepetitionPenalty { get; init; }

    /// <summary><c>penalty_last_n</c></summary>
    public int? PenaltyWindow { get; init; }

    /// <summary>What a model says.</summary>
    /// <exception cref="ModelFormatException">A value is outside its range.</exception>
    public static SamplingDefaults Of(ModelFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new SamplingDefaults
        {
            Temperature = Number("temp", "from 0 up", value => value >= 0),
            TopK = Count("top_k", all: 0),
            TopP = Number("top_p", "from 0 to 1", value => value is >= 0 and <= 1) is { } sum
                ? Math.Max(sum, float.Epsilon) // 0 leaves the most probable token
                : null,
            MinP = Number("min_p", "from 0 to 1", value => value is >= 0 and <= 1),
            RepetitionPenalty = Number("penalty_repeat", "a number above 0", value => value > 0),
            PenaltyWindow = Count("penalty_last_n", all: int.MaxValue),
        };

        float? Number(string key, string expected, Func<float, bool> accepts)
        {
            double? number = file.Metadata.FindNumber(Prefix + key);
            float? value = (float?)number;
            return value is null || (float.IsFinite(value.Value) && accepts(value.Value))
                ? value
                : throw Wrong(key, number!.Value.ToString("R", CultureInfo.InvariantCulture), expected);
        }

        int? Count(string key, int all) => file.Metadata.FindInteger(Prefix + key) switch
        {
            null => null,
            -1 => all,
            >= 0 and <= int.MaxValue and var value => (int)value,
            var value => throw Wrong(key, $"{value}", "a count"),
        };

        ModelFormatException Wrong(string key, string found, string expected) => new(
            $"{file.Path}: '{Prefix}{key}' (in a folder: generation_config.json) is {found}, expected {expected}; "
            + "correct the file or download it again.");
    }
}
