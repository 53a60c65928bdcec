using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Pure.Chat.Templates;

/// <summary>JSON becomes values: numbers with a fraction or an exponent are floating, of keys that come twice the last one counts.</summary>
internal static class JsonReader
{
    /// <summary>The properties of an object.</summary>
    internal static List<KeyValuePair<string, Value>> ReadVariables(JsonElement variables, Budget budget)
    {
        if (variables.ValueKind != JsonValueKind.Object)
            throw new Fault($"the variables are a JSON {Kind(variables)}, expected an object");
        var list = new List<KeyValuePair<string, Value>>();
        foreach (JsonProperty property in variables.EnumerateObject())
            list.Add(new(Name(property), Read(property.Value, budget)));
        return list;
    }

    /// <summary>What the filter <c>from_json</c> makes of a text.</summary>
    internal static Value Parse(string json, Budget budget)
    {
        budget.NewText(json.Length);
        try
        {
            using var document = JsonDocument.Parse(json);
            return Read(document.RootElement, budget);
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new Fault($"from_json: the text is no JSON: {error.Message.TrimEnd('.')}");
        }
    }

    private static Value Read(JsonElement element, Budget budget)
    {
        budget.Step();
        budget.Enter();
        Value value = element.ValueKind switch
        {
            JsonValueKind.Null => NoneValue.Instance,
            JsonValueKind.True => BooleanValue.True,
            JsonValueKind.False => BooleanValue.False,
            JsonValueKind.String => new TextValue(Text(element)),
            JsonValueKind.Number => ReadNumber(element.GetRawText()),
            JsonValueKind.Array => new ListValue([.. element.EnumerateArray().Select(item => Read(item, budget))]),
            JsonValueKind.Object => ReadObject(element, budget),
            _ => throw new Fault("a variable has no value"),
        };
        budget.Leave();
        return value;
    }

    private static DictionaryValue ReadObject(JsonElement element, Budget budget)
    {
        var dictionary = new DictionaryValue(budget);
        foreach (JsonProperty property in element.EnumerateObject())
            dictionary.Set(new TextValue(Name(property)), Read(property.Value, budget));
        return dictionary;
    }

    private static Value ReadNumber(string digits)
    {
        if (digits.AsSpan().ContainsAny(".eE"))
            return new FloatValue(double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture));
        return PythonNumbers.ParseInteger(digits, 10) is { } number
            ? IntegerValue.Of(number)
            : throw new Fault($"'{digits}' is no number");
    }

    private static string Text(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw UnpairedSurrogate();
        }
    }

    private static string Name(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw UnpairedSurrogate();
        }
    }

    private static Fault UnpairedSurrogate() => new("the JSON has a string with half a surrogate pair, which is no character");

    private static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.Null => "null",
        JsonValueKind.Undefined => "value that is missing",
        _ => "boolean",
    };
}
