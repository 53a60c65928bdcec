using System.Text.Json;

namespace Pure.Serve.Http;

/// <summary>
/// Parameters that this server knows and does not follow yet. A client that sends one counts on it, so it is refused by name; what the
/// server has never heard of is passed over, as servers of this kind do.
/// </summary>
internal static class UnsupportedFields
{
    private static readonly string[] Names =
    [
        "tools", "functions", "function_call", "structured_outputs", "prompt_logprobs", "suffix", "audio", "prediction", "web_search_options",
    ];

    /// <exception cref="ApiException">The request has one of them, with a value that asks for something.</exception>
    internal static void Refuse(JsonFields fields)
    {
        foreach (string name in Names)
        {
            if (fields.Find(name) is { } value && !IsEmpty(value))
                throw NotYet(name);
        }

        if (fields.Find("tool_choice") is { } choice && !IsWord(choice, "none", "auto"))
            throw NotYet("tool_choice");
        bool hasModalities = fields.Find("modalities") is { ValueKind: JsonValueKind.Array } kinds
            && kinds.EnumerateArray().Any(kind => !IsWord(kind, "text"));
        if (hasModalities)
            throw ApiException.Unsupported("modalities", "This server writes text only.");
        if (fields.Find("best_of") is { } best && JsonFields.CountOf(best, "best_of", 1, int.MaxValue) > (fields.Count("n", 1, int.MaxValue) ?? 1))
            throw ApiException.Unsupported("best_of", "The parameter 'best_of' can only be as large as 'n'.");
        if (fields.Switch("use_beam_search") == true)
            throw NotYet("use_beam_search");
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.String => value.ValueEquals("") || value.ValueEquals("none"),
        JsonValueKind.False => true,
        _ => false,
    };

    private static bool IsWord(JsonElement value, params ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            if (value.ValueKind == JsonValueKind.String && value.ValueEquals(word))
                return true;
        }

        return false;
    }

    private static ApiException NotYet(string name) => ApiException.Unsupported(name, $"The parameter '{name}' is not supported yet.");
}
