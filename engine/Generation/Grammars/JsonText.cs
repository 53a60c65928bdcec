using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Pure.Engine.Generation.Grammars;

/// <summary>
/// JSON as grammars write it: compact, with at most one blank after a comma or a colon. Strings are UTF-8 as they are; where two spellings of a
/// string would matter, only the shortest is written.
/// </summary>
/// <remarks>RFC 8259.</remarks>
internal static class JsonText
{
    /// <summary>Most digits before a number's point, so that every integer is exact in a double.</summary>
    internal const int MostDigits = 15;

    /// <summary>Most digits after it.</summary>
    internal const int MostFractionDigits = 10;

    private const string ShortEscapes = "\"\\\b\f\n\r\t";
    private static readonly CodePoints Escaped = CodePoints.Of((0, 0x1F), ('"', '"'), ('\\', '\\'));
    private static readonly Expression Blank = Expression.Optional(Expression.Text(" "));

    static JsonText()
    {
        Digit = Expression.Bytes(ByteSet.Range('0', '9'));
        Comma = Expression.Sequence(Expression.Text(","), Blank);
        Colon = Expression.Sequence(Expression.Text(":"), Blank);
        Character = Expression.Any(Escaped.Complement().ToUtf8(), EscapeSequence());
        AnyString = Named("string", InQuotes(Expression.Star(Character)));
        Expression digits = Expression.Any(
            Expression.Text("0"), Expression.Sequence(Expression.Bytes(ByteSet.Range('1', '9')), Expression.Repeat(Digit, 0, MostDigits - 1)));
        Integer = Named("integer", Expression.Sequence(Expression.Optional(Expression.Text("-")), digits));
        Expression fraction = Expression.Sequence(Expression.Text("."), Expression.Repeat(Digit, 1, MostFractionDigits));
        Expression exponent = Expression.Sequence(
            Expression.Any(Expression.Text("e"), Expression.Text("E")),
            Expression.Optional(Expression.Any(Expression.Text("+"), Expression.Text("-"))),
            Expression.Repeat(Digit, 1, 2));
        Number = Named("number", Expression.Sequence(Integer, Expression.Optional(fraction), Expression.Optional(exponent)));
        Null = Expression.Text("null");
        Boolean = Expression.Any(Expression.Text("true"), Expression.Text("false"));

        var value = new Rule("value");
        Value = new Expression.Reference(value);
        AnyArray = Named("array", ArrayOf(Value, 0, null));
        Expression member = Named("member", Expression.Sequence(AnyString, Colon, Value));
        AnyObject = Named("object", Expression.Sequence(
            Expression.Text("{"),
            Expression.Optional(Expression.Sequence(member, Expression.Star(Expression.Sequence(Comma, member)))),
            Expression.Text("}")));
        value.Definition = Expression.Any(AnyObject, AnyArray, AnyString, Number, Boolean, Null);
    }

    /// <summary>Any value.</summary>
    internal static Expression Value { get; }

    /// <summary>Any object.</summary>
    internal static Expression AnyObject { get; }

    /// <summary>Any array.</summary>
    internal static Expression AnyArray { get; }

    /// <summary>Any string.</summary>
    internal static Expression AnyString { get; }

    /// <summary>Any number.</summary>
    internal static Expression Number { get; }

    /// <summary>Any integer, without point and exponent.</summary>
    internal static Expression Integer { get; }

    /// <summary><c>true</c> or <c>false</c>.</summary>
    internal static Expression Boolean { get; }

    /// <summary><c>null</c>.</summary>
    internal static Expression Null { get; }

    /// <summary>A decimal digit.</summary>
    internal static Expression Digit { get; }

    /// <summary>What stands between members and elements.</summary>
    internal static Expression Comma { get; }

    /// <summary>What stands between a member's name and value.</summary>
    internal static Expression Colon { get; }

    /// <summary>One character of a string, in any spelling.</summary>
    internal static Expression Character { get; }

    /// <summary>A string with that between its quotes.</summary>
    internal static Expression InQuotes(Expression content) => Expression.Sequence(Expression.Text("\""), content, Expression.Text("\""));

    /// <summary>A string that is this.</summary>
    internal static Expression Quoted(string text) => Expression.Text(Quote(text));

    /// <summary>One character of a set in a string, in its shortest spelling.</summary>
    internal static Expression Write(CodePoints set)
    {
        var options = new List<Expression> { set.Except(Escaped).ToUtf8() };
        for (int character = 0; character <= '\\'; character++)
        {
            if (Escaped.Contains(character) && set.Contains(character))
                options.Add(Expression.Text(Escape((char)character)));
        }

        return Expression.Any(options);
    }

    /// <summary>An array of elements of one kind.</summary>
    internal static Expression ArrayOf(Expression element, int least, int? most)
    {
        if (most == 0)
            return least == 0 ? Expression.Text("[]") : Expression.None;
        if (most < least)
            return Expression.None;
        Expression elements = Expression.Sequence(
            element, Expression.Repeat(Expression.Sequence(Comma, element), Math.Max(0, least - 1), most - 1));
        return Expression.Sequence(Expression.Text("["), least == 0 ? Expression.Optional(elements) : elements, Expression.Text("]"));
    }

    /// <summary>One of some values, in its shortest spelling; numbers as they are spelt. What they begin with in common is read once for all.</summary>
    /// <param name="values">The values.</param>
    /// <param name="newRule">Makes a rule.</param>
    internal static Expression AnyOf(IEnumerable<JsonElement> values, Func<string, Rule> newRule)
    {
        Rule first = newRule("values");
        var open = new Stack<(Rule Rule, byte[][] Texts)>([(first, [.. values.Select(value => Encoding.UTF8.GetBytes(Spell(value)))])]);
        while (open.TryPop(out (Rule Rule, byte[][] Texts) node))
        {
            var options = new List<Expression>();
            if (Array.Exists(node.Texts, text => text.Length == 0))
                options.Add(Expression.Empty);
            foreach (byte[][] branch in node.Texts.Where(text => text.Length > 0).GroupBy(text => text[0], (_, texts) => texts.ToArray()))
            {
                int shared = branch.Min(text => text.AsSpan().CommonPrefixLength(branch[0]));
                IEnumerable<Expression> read = branch[0][..shared].Select(value => Expression.Bytes(ByteSet.Range(value, value)));
                if (Array.TrueForAll(branch, text => text.Length == shared))
                {
                    options.Add(Expression.Sequence([.. read]));
                    continue;
                }

                Rule below = newRule("values");
                open.Push((below, [.. branch.Select(text => text[shared..])]));
                options.Add(Expression.Sequence([.. read, new Expression.Reference(below)]));
            }

            node.Rule.Definition = Expression.Any(options);
        }

        return new Expression.Reference(first);
    }

    /// <summary>Strings that are none of these, with what follows them.</summary>
    /// <param name="names">What they must not be.</param>
    /// <param name="newRule">Makes a rule.</param>
    internal static Expression StringExcept(IEnumerable<string> names, Func<string, Rule> newRule)
    {
        Expression rest = Expression.Sequence(Expression.Star(Write(CodePoints.All)), Expression.Text("\""));
        Rule first = newRule("name");
        var open = new Stack<(Rule Rule, Rune[][] Names)>([(first, [.. names.Distinct().Select(name => name.EnumerateRunes().ToArray())])]);
        while (open.TryPop(out (Rule Rule, Rune[][] Names) node))
        {
            var options = new List<Expression>();
            CodePoints others = CodePoints.All;
            foreach (IGrouping<Rune, Rune[]> branch in node.Names.Where(name => name.Length > 0).GroupBy(name => name[0]))
            {
                CodePoints one = CodePoints.One(branch.Key.Value);
                others = others.Except(one);
                Rule below = newRule("name");
                open.Push((below, [.. branch.Select(name => name[1..])]));
                options.Add(Expression.Sequence(Write(one), new Expression.Reference(below)));
            }

            options.Add(Expression.Sequence(Write(others), rest));
            if (!node.Names.Any(name => name.Length == 0))
                options.Add(Expression.Text("\""));
            node.Rule.Definition = Expression.Any(options);
        }

        return Expression.Sequence(Expression.Text("\""), new Expression.Reference(first));
    }

    private static Expression.Reference Named(string name, Expression definition) => new Expression.Reference(new Rule(name) { Definition = definition });

    /// <summary>All that may stand after a backslash; <c>\u</c> with no half of a surrogate pair.</summary>
    private static Expression EscapeSequence()
    {
        Expression hex = Hex("0123456789abcdefABCDEF");
        Expression unit = Expression.Sequence(
            Expression.Text("u"),
            Expression.Any(
                Expression.Sequence(Hex("0123456789abcefABCEF"), hex),
                Expression.Sequence(Hex("dD"), Hex("01234567"))),
            hex,
            hex);
        return Expression.Sequence(Expression.Text("\\"), Expression.Any(Hex("\"\\/bfnrt"), unit));

        static Expression Hex(string digits) => CodePoints.AnyOf(digits).ToUtf8();
    }

    private static string Escape(char character) => ShortEscapes.IndexOf(character) is >= 0 and int at
        ? "\\" + "\"\\bfnrt"[at]
        : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");

    private static string Quote(string text) => $"\"{string.Concat(text.Select(unit => Escaped.Contains(unit) ? Escape(unit) : $"{unit}"))}\"";

    private static string Spell(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => $"{{{string.Join(',', value.EnumerateObject().Select(member => $"{Quote(member.Name)}:{Spell(member.Value)}"))}}}",
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Spell))}]",
        JsonValueKind.String => Quote(value.GetString()!),
        _ => value.GetRawText(),
    };
}
