using System.Globalization;

namespace Pure.Chat.Templates;

/// <summary><c>'{} {name!r:&gt;10}'.format(…)</c>: what is in braces is replaced by an argument, or what is in it.</summary>
internal static class BraceFormat
{
    private const int MostNesting = 2;

    internal static TextValue Format(TextValue format, CallArguments arguments, Evaluator evaluator)
    {
        int next = 0;
        return format.With(Expand(format, format.Text, arguments, evaluator, ref next, depth: 0));
    }

    private static string Expand(
        TextValue owner, string text, CallArguments arguments, Evaluator evaluator, ref int next, int depth)
    {
        var output = new BoundedText(evaluator.Budget);
        for (int at = 0; at < text.Length; at++)
        {
            char letter = text[at];
            if (letter is not ('{' or '}'))
            {
                output.Append(letter);
            }
            else if (at + 1 < text.Length && text[at + 1] == letter)
            {
                output.Append(letter);
                at++;
            }
            else if (letter == '}')
            {
                throw new Fault("single '}' encountered in format string");
            }
            else
            {
                int end = FindEnd(text, at + 1);
                output.Append(Field(owner, text[(at + 1)..end], arguments, evaluator, ref next, depth));
                at = end;
            }
        }

        return output.ToString();
    }

    private static int FindEnd(string text, int at)
    {
        for (int open = 1; at < text.Length; at++)
        {
            open += text[at] == '{' ? 1 : text[at] == '}' ? -1 : 0;
            if (open == 0)
                return at;
        }

        throw new Fault("expected '}' before end of string");
    }

    private static string Field(
        TextValue owner, string field, CallArguments arguments, Evaluator evaluator, ref int next, int depth)
    {
        if (depth == MostNesting)
            throw new Fault("braces nest too deep in a format string");
        int specAt = field.IndexOf(':', StringComparison.Ordinal);
        int bracket = field.IndexOf('[', StringComparison.Ordinal);
        if (bracket >= 0 && specAt > bracket && field.IndexOf(']', bracket) is var close && close > specAt)
            specAt = field.IndexOf(':', close);
        string path = specAt < 0 ? field : field[..specAt];
        char conversion = '\0';
        if (path.Length > 1 && path[^2] == '!')
        {
            conversion = path[^1];
            path = path[..^2];
        }

        Value value = Find(path, arguments, evaluator, ref next);
        string spec = specAt < 0 ? "" : field[(specAt + 1)..];
        if (spec.Contains('{'))
            spec = Expand(owner, spec, arguments, evaluator, ref next, depth + 1);
        value = conversion switch
        {
            '\0' => value,
            's' => new TextValue(evaluator.Str(value)),
            'r' or 'a' => new TextValue(evaluator.Repr(value)),
            _ => throw new Fault($"unknown conversion specifier '{conversion}' in a format string"),
        };
        string text = spec.Length == 0 ? evaluator.Str(value) : FormatSpec.Parse(spec).Apply(value, evaluator);
        return owner.IsSafe && value is not TextValue { IsSafe: true } ? PythonText.Escape(text, evaluator.Budget) : text;
    }

    /// <summary>The argument that a path such as <c>0.name[key]</c> names.</summary>
    private static Value Find(string path, CallArguments arguments, Evaluator evaluator, ref int next)
    {
        int end = path.AsSpan().IndexOfAny('.', '[');
        string first = end < 0 ? path : path[..end];
        Value value;
        if (first.Length == 0 || first.All(char.IsAsciiDigit))
        {
            int at = first.Length == 0 ? next++ : ParseIndex(first);
            value = at < arguments.Positional.Length ? arguments.Positional[at] : throw new Fault($"a format string has no argument {at}");
        }
        else
        {
            evaluator.Budget.Step(arguments.Named.Length);
            int at = Array.FindIndex(arguments.Named, argument => argument.Name == first);
            value = at >= 0 ? arguments.Named[at].Value : throw new Fault($"a format string has no argument '{first}'");
        }

        for (int at = end; at >= 0 && at < path.Length;)
        {
            int begin = at + 1;
            if (path[at] == '[')
            {
                int close = path.IndexOf(']', begin);
                if (close < 0)
                    throw new Fault("a '[' in a format string has no ']'");
                string key = path[begin..close];
                value = evaluator.Item(value, key.Length > 0 && key.All(char.IsAsciiDigit) ? IntegerValue.Of(ParseIndex(key)) : new TextValue(key));
                at = close + 1;
            }
            else
            {
                int stop = path.AsSpan(begin).IndexOfAny('.', '[') is >= 0 and int offset ? begin + offset : path.Length;
                value = evaluator.Attribute(value, path[begin..stop]);
                at = stop;
            }
        }

        return value;
    }

    private static int ParseIndex(string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? index
            : throw new Fault("a format string has an index that is too large");
}
