namespace Pure.Chat.Templates;

/// <summary>How <c>tojson</c> writes; null for the separators means Python's own.</summary>
internal sealed record JsonStyle(string? Indent, string ItemSeparator, string KeySeparator, bool EnsureAscii, bool SortKeys);

/// <summary>Values become JSON, as Python's <c>json.dumps</c> writes it: nothing is escaped for HTML.</summary>
internal sealed class JsonWriter(BoundedText output, JsonStyle style, Evaluator evaluator)
{
    private readonly Budget _budget = evaluator.Budget;
    private int _depth;

    internal void Write(Value value)
    {
        _budget.Step();
        _budget.Enter();
        switch (value)
        {
            case NoneValue:
                output.Append("null");
                break;
            case BooleanValue boolean:
                output.Append(boolean.IsTrue ? "true" : "false");
                break;
            case IntegerValue:
                output.Append(evaluator.Str(value));
                break;
            case FloatValue { Number: var number }:
                output.Append(Float(number));
                break;
            case TextValue text:
                Quoted(text.Text);
                break;
            case ListValue list:
                Sequence(list.Items);
                break;
            case TupleValue tuple:
                Sequence(tuple.Items);
                break;
            case DictionaryValue dictionary:
                Mapping(dictionary);
                break;
            case UndefinedValue undefined:
                throw new Fault($"tojson: {undefined.Problem}");
            default:
                throw new Fault($"tojson: a value of type {value.TypeName} is not JSON serializable");
        }

        _budget.Leave();
    }

    private static string Float(double number) =>
        double.IsNaN(number) ? "NaN" : double.IsInfinity(number) ? (number > 0 ? "Infinity" : "-Infinity") : PythonNumbers.Text(number);

    private void Sequence(IReadOnlyCollection<Value> items)
    {
        if (items.Count == 0)
        {
            output.Append("[]");
            return;
        }

        output.Append('[');
        _depth++;
        bool isFirst = true;
        foreach (Value item in items)
        {
            Begin(ref isFirst);
            Write(item);
        }

        _depth--;
        NewLine();
        output.Append(']');
    }

    private void Mapping(DictionaryValue dictionary)
    {
        if (dictionary.Count == 0)
        {
            output.Append("{}");
            return;
        }

        KeyValuePair<Value, Value>[] pairs = [.. dictionary.Pairs];
        if (style.SortKeys)
            Comparison.Sort(pairs, (a, b) => Comparison.Order(a.Key, b.Key, "<", _budget) is < 0);
        output.Append('{');
        _depth++;
        bool isFirst = true;
        foreach ((Value key, Value value) in pairs)
        {
            Begin(ref isFirst);
            Quoted(key switch
            {
                TextValue text => text.Text,
                NoneValue => "null",
                BooleanValue boolean => boolean.IsTrue ? "true" : "false",
                IntegerValue => evaluator.Str(key),
                FloatValue { Number: var number } => Float(number),
                _ => throw new Fault($"tojson: keys must be str, int, float, bool or None, not {key.TypeName}"),
            });
            output.Append(style.KeySeparator);
            Write(value);
        }

        _depth--;
        NewLine();
        output.Append('}');
    }

    private void Begin(ref bool isFirst)
    {
        if (!isFirst)
            output.Append(style.ItemSeparator);
        isFirst = false;
        NewLine();
    }

    private void NewLine()
    {
        if (style.Indent is null)
            return;
        output.Append('\n');
        for (int i = 0; i < _depth; i++)
            output.Append(style.Indent);
    }

    private void Quoted(string text)
    {
        output.Append('"');
        foreach (char letter in text)
        {
            switch (letter)
            {
                case '"':
                    output.Append("\\\"");
                    break;
                case '\\':
                    output.Append("\\\\");
                    break;
                case '\n':
                    output.Append("\\n");
                    break;
                case '\r':
                    output.Append("\\r");
                    break;
                case '\t':
                    output.Append("\\t");
                    break;
                case '\f':
                    output.Append("\\f");
                    break;
                case '\b':
                    output.Append("\\b");
                    break;
                default:
                    if (letter < ' ' || (style.EnsureAscii && letter > '~'))
                        output.Append($"\\u{(int)letter:x4}");
                    else
                        output.Append(letter);
                    break;
            }
        }

        output.Append('"');
    }
}
