using System.Globalization;
using System.Text.Json;
using Pure.Chat;

namespace Pure.Serve.Http;

/// <summary>
/// How a request would have its tokens chosen and its text ended: OpenAI's parameters, and those that servers like it have besides, by
/// their names.
/// </summary>
internal static class SamplingFields
{
    /// <summary>Most alternatives that a request can ask for at each token.</summary>
    internal const int MostAlternatives = 20;

    private const int MostStops = 16;
    private const int LongestStop = 1024;

    /// <summary>What the request says, where it does, in place of <paramref name="defaults"/>.</summary>
    /// <exception cref="ApiException">A value is of another type, or beyond its bounds.</exception>
    internal static TextOptions Read(JsonFields fields, TextOptions defaults, int vocabulary) => defaults with
    {
        Temperature = fields.Number("temperature", "from 0 up", value => value >= 0) ?? defaults.Temperature,
        TopP = TopP(fields) ?? defaults.TopP,
        TopK = TopK(fields) ?? defaults.TopK,
        MinP = fields.Number("min_p", "from 0 to 1", value => value is >= 0 and <= 1) ?? defaults.MinP,
        PresencePenalty = Penalty(fields, "presence_penalty") ?? defaults.PresencePenalty,
        FrequencyPenalty = Penalty(fields, "frequency_penalty") ?? defaults.FrequencyPenalty,
        RepetitionPenalty = Repetition(fields, "repetition_penalty") ?? Repetition(fields, "repeat_penalty") ?? defaults.RepetitionPenalty,
        PenaltyWindow = fields.Count("repeat_last_n", 0, int.MaxValue) ?? defaults.PenaltyWindow,
        Seed = fields.Seed("seed") ?? defaults.Seed,
        Stop = Stops(fields),
        IgnoreEndOfText = fields.Switch("ignore_eos") ?? defaults.IgnoreEndOfText,
        LogitBias = LogitBias(fields, vocabulary),
    };

    private static float? Penalty(JsonFields fields, string name) => fields.Number(name, "from -100 to 100", value => value is >= -100 and <= 100);

    private static float? Repetition(JsonFields fields, string name) =>
        fields.Number(name, "above 0 and at most 100", value => value is > 0 and <= 100);

    /// <summary>0, which some clients send for "the most probable token", leaves that one.</summary>
    private static float? TopP(JsonFields fields) =>
        fields.Number("top_p", "from 0 to 1", value => value is >= 0 and <= 1) is { } sum ? Math.Max(sum, float.Epsilon) : null;

    /// <summary>-1 is how vLLM's clients say "all".</summary>
    private static int? TopK(JsonFields fields) => fields.Count("top_k", -1, int.MaxValue) is { } count ? Math.Max(count, 0) : null;

    private static List<string> Stops(JsonFields fields)
    {
        const string Name = "stop";
        if (fields.Find(Name) is not { } value)
            return [];
        if (value.ValueKind == JsonValueKind.String)
            return [Stop(value, Name)];
        if (value.ValueKind != JsonValueKind.Array)
            throw JsonFields.WrongType(value, Name, "a string or a list of strings");
        if (value.GetArrayLength() > MostStops)
            throw ApiException.WrongValue(Name, $"The parameter '{Name}' has {value.GetArrayLength()} texts, expected at most {MostStops}.");
        return [.. value.EnumerateArray().Select((stop, at) => Stop(stop, $"{Name}[{at}]"))];
    }

    private static string Stop(JsonElement value, string name)
    {
        string stop = JsonFields.TextOf(value, name);
        return stop.Length is > 0 and <= LongestStop
            ? stop
            : throw ApiException.WrongValue(name, $"The parameter '{name}' has {stop.Length} characters, expected from 1 to {LongestStop}.");
    }

    private static Dictionary<int, float>? LogitBias(JsonFields fields, int vocabulary)
    {
        const string Name = "logit_bias";
        if (fields.Find(Name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Object)
            throw JsonFields.WrongType(value, Name, "an object of token ids and numbers");
        var bias = new Dictionary<int, float>();
        foreach (JsonProperty entry in value.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id >= vocabulary)
            {
                throw ApiException.WrongValue(
                    Name, $"The parameter '{Name}' names a token that is not there; its ids are 0 to {vocabulary - 1}.");
            }

            bias[id] = JsonFields.NumberOf(entry.Value, $"{Name}.{id}", "from -100 to 100", number => number is >= -100 and <= 100);
        }

        return bias;
    }
}
