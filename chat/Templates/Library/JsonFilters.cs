namespace Pure.Chat.Templates;

/// <summary>
/// <c>tojson</c> as <c>transformers</c> has it (<c>json.dumps</c>), and llama.cpp's <c>from_json</c>.
/// </summary>
internal static class JsonFilters
{
    internal static readonly Builtin[] All =
    [
        new("tojson", "value, ensure_ascii?, indent?, separators?, sort_keys?", ToJson),
        new("from_json", "value", (a, e) => JsonReader.Parse(a.Text(0), e.Budget)),
    ];

    private static TextValue ToJson(BuiltinArguments arguments, Evaluator evaluator)
    {
        string? indent = Indent(arguments, evaluator.Budget);
        (string item, string key) = (indent is null ? ", " : ",", ": ");
        if (arguments.Find(3) is { } separators and not NoneValue)
        {
            if (evaluator.ToList(separators) is not [TextValue itemText, TextValue keyText])
                throw arguments.Wrong(3, "two strings");
            (item, key) = (itemText.Text, keyText.Text);
        }

        var output = new BoundedText(evaluator.Budget);
        var style = new JsonStyle(indent, item, key, arguments.IsTrue(1), arguments.IsTrue(4));
        new JsonWriter(output, style, evaluator).Write(arguments[0]);
        return new TextValue(output.ToString());
    }

    private static string? Indent(BuiltinArguments arguments, Budget budget)
    {
        switch (arguments.Find(2))
        {
            case null or NoneValue:
                return null;
            case TextValue text:
                return text.Text;
            default:
                int count = Math.Max(0, arguments.Count(2, 0));
                budget.NewText(count);
                return new string(' ', count);
        }
    }
}
