using System.Text.Json;

namespace Pure.Engine.Generation.Grammars.JsonSchemas;

/// <summary>
/// Turns a JSON Schema into rules: one for each set of schemas that a value must meet together, which is how recursive schemas become recursive
/// rules.
/// </summary>
internal sealed class JsonSchemaReader
{
    private const int MostRules = 50_000;
    private const int MostChoices = 10_000;
    private const int MostExclusive = 200; // each is compared with each
    private const int MostNesting = 64;

    private readonly SchemaFolder _folder;
    private readonly Dictionary<string, Rule> _rules = new(StringComparer.Ordinal); // by the places of the schemas
    private readonly Queue<(Rule Rule, List<SchemaPlace> Places)> _undefined = [];
    private int _ruleCount;
    private int _choiceCount;

    private JsonSchemaReader(JsonElement root) => _folder = new SchemaFolder(root);

    /// <summary>The values that a schema allows, as <see cref="Grammar.FromJsonSchema(JsonElement)"/> says.</summary>
    /// <exception cref="InvalidRequestException">The schema is not supported.</exception>
    internal static Expression Read(JsonElement schema)
    {
        var reader = new JsonSchemaReader(schema);
        Expression root = reader.Compile([new SchemaPlace(schema, "#")]);
        while (reader._undefined.TryDequeue(out (Rule Rule, List<SchemaPlace> Places) next))
            next.Rule.Definition = reader.Write(reader._folder.Fold(next.Places));
        return root;
    }

    /// <summary>What meets all of some schemas.</summary>
    private Expression Compile(List<SchemaPlace> places)
    {
        if (places.Count == 0)
            return JsonText.Value;
        string key = string.Join(' ', places.Select(place => place.Pointer).Distinct());
        if (!_rules.TryGetValue(key, out Rule? rule))
        {
            _rules[key] = rule = NewRule(key);
            _undefined.Enqueue((rule, places));
        }

        return new Expression.Reference(rule);
    }

    private Rule NewRule(string name) => ++_ruleCount <= MostRules
        ? new Rule(name)
        : throw new InvalidRequestException($"The JSON schema becomes more than {MostRules} rules; make it smaller.");

    /// <param name="constraints">What is demanded.</param>
    /// <param name="nesting">Choices within choices that led here.</param>
    private Expression Write(SchemaConstraints constraints, int nesting = 0)
    {
        if (constraints.Choices.Count == 0)
            return WriteTypes(constraints);
        SchemaConstraints.Choice choice = constraints.Choices[^1];
        if (nesting > MostNesting)
            throw new InvalidRequestException(
                $"The JSON schema at {choice.Pointer} has alternatives within alternatives more than {MostNesting} deep; write it flatter.");
        bool isAlone = constraints is { IsPlain: true, Choices.Count: 1 };
        var options = new List<SchemaConstraints>();
        foreach (SchemaPlace option in choice.Options)
        {
            if (++_choiceCount > MostChoices)
                throw new InvalidRequestException($"The JSON schema has more than {MostChoices} combinations of alternatives; make it smaller.");
            SchemaConstraints both = constraints.WithoutLastChoice();
            _folder.Add(option, both, 0);
            options.Add(both);
        }

        if (choice.IsExclusive)
            RequireApart(choice, options);
        return Expression.Any([.. options.Select((option, at) => isAlone ? Compile([choice.Options[at]]) : Write(option, nesting + 1))]);
    }

    private Expression WriteTypes(SchemaConstraints constraints)
    {
        if (constraints.Values is { } values)
            return JsonText.AnyOf(values.Where(constraints.Allows), NewRule);
        if (constraints is { IsPlain: true })
            return JsonText.Value;
        SchemaTypes types = constraints.Written;
        var options = new List<Expression>();
        if (types.HasFlag(SchemaTypes.Object))
            options.Add(WriteObject(constraints));
        if (types.HasFlag(SchemaTypes.Array))
            options.Add(WriteArray(constraints));
        if (types.HasFlag(SchemaTypes.String))
            options.Add(WriteString(constraints));
        if ((types & SchemaTypes.Number) != 0)
            options.Add(WriteNumber(constraints, types));
        if (types.HasFlag(SchemaTypes.Boolean))
            options.Add(JsonText.Boolean);
        if (types.HasFlag(SchemaTypes.Null))
            options.Add(JsonText.Null);
        return Expression.Any(options);
    }

    private Expression WriteNumber(SchemaConstraints constraints, SchemaTypes types)
    {
        if (constraints.Factors.Count == 0)
            return types.HasFlag(SchemaTypes.Fraction) ? constraints.Range.Numbers() : constraints.Range.Integers();
        long factor = constraints.Factors.Aggregate(1L, LeastCommonMultiple);
        return constraints.Range.Multiples(factor, NewRule) ?? throw new InvalidRequestException(
            $"The JSON schema at {constraints.Pointer} has a 'multipleOf' that is not supported with these bounds: up to 100 without bounds or with a minimum of 0, and otherwise up to 1000 values.");
    }

    private static long LeastCommonMultiple(long one, long other)
    {
        (long larger, long smaller) = (one, other);
        while (smaller != 0)
            (larger, smaller) = (smaller, larger % smaller);
        return Math.Min(one / larger * other, int.MaxValue);
    }

    private static Expression WriteString(SchemaConstraints constraints)
    {
        if (constraints.MostLength < constraints.LeastLength)
            return Expression.None;
        bool hasLength = constraints.LeastLength > 0 || constraints.MostLength is not null;
        string[] patterns = [.. constraints.Patterns.Distinct()];
        if (patterns.Length == 0)
            return hasLength ? JsonText.InQuotes(Expression.Repeat(JsonText.Character, constraints.LeastLength, constraints.MostLength)) : JsonText.AnyString;
        if (patterns.Length > 1 || hasLength)
        {
            throw new InvalidRequestException(
                $"The JSON schema at {constraints.Pointer} has a 'pattern' or 'format' together with {(hasLength ? "a length" : "another one")}, which is not supported; say all in one pattern.");
        }

        try
        {
            return JsonText.InQuotes(RegexReader.Read(patterns[0], JsonText.Write, searches: true));
        }
        catch (InvalidRequestException error)
        {
            throw new InvalidRequestException(
                $"The JSON schema at {constraints.Pointer} has a 'pattern' that is not supported. {error.Message}", error);
        }
    }

    private Expression WriteArray(SchemaConstraints constraints)
    {
        List<SchemaConstraints.ArrayPart> parts = constraints.Arrays;
        int prefix = parts.Select(part => part.Prefix.Length).DefaultIfEmpty().Max();
        bool goesOn = prefix == 0 || parts.Exists(part => part.Items is not null);
        int least = constraints.LeastItems;
        int? most = goesOn ? constraints.MostItems : Math.Min(constraints.MostItems ?? int.MaxValue, Math.Max(prefix, least));
        if (most < least)
            return Expression.None;
        Expression further = Compile([.. parts.Where(part => part.Items is not null).Select(part => part.Items!.Value)]);
        if (prefix == 0)
            return JsonText.ArrayOf(further, least, most);

        // From the last of the elements with a schema of their own to the first.
        Expression rest = prefix > most
            ? Expression.Empty
            : Expression.Repeat(Expression.Sequence(JsonText.Comma, further), Math.Max(0, least - prefix), most - prefix);
        for (int at = Math.Min(prefix, most ?? prefix) - 1; at >= 0; at--)
        {
            int index = at;
            Expression element = Compile(
                [.. parts.Where(part => index < part.Prefix.Length || part.Items is not null).Select(part => index < part.Prefix.Length ? part.Prefix[index] : part.Items!.Value)]);
            Rule rule = NewRule("elements");
            Expression first = at == 0 ? element : Expression.Sequence(JsonText.Comma, element);
            Expression elements = Expression.Sequence(first, rest);
            rule.Definition = at < least ? elements : Expression.Optional(elements);
            rest = new Expression.Reference(rule);
        }

        return Expression.Sequence(Expression.Text("["), rest, Expression.Text("]"));
    }

    private Expression WriteObject(SchemaConstraints constraints)
    {
        List<SchemaConstraints.ObjectPart> parts = constraints.Objects;
        HashSet<string> required = [.. constraints.Required];
        string[] names = [.. parts.SelectMany(part => part.Properties.Select(property => property.Key)).Concat(constraints.Required).Distinct()];
        if (names.Length == 0 && parts.TrueForAll(part => part.Additional is null))
            return JsonText.AnyObject;

        // The end of the object, where members came before and where none did; then the members from the last to the first.
        Expression comma = JsonText.Comma;
        Expression afterMembers = Expression.Text("}");
        Expression afterNone = afterMembers;
        if (parts.Exists(part => part.Additional is not null))
        {
            Expression member = Expression.Sequence(
                JsonText.StringExcept(names, NewRule), JsonText.Colon, Compile([.. parts.Where(part => part.Additional is not null).Select(part => part.Additional!.Value)]));
            afterMembers = Named(Expression.Sequence(Expression.Star(Expression.Sequence(comma, member)), Expression.Text("}")));
            afterNone = Expression.Any(Expression.Text("}"), Expression.Sequence(member, afterMembers));
        }

        for (int at = names.Length - 1; at >= 0; at--)
        {
            string name = names[at];
            Expression member = Expression.Sequence(JsonText.Quoted(name), JsonText.Colon, Compile(PlacesOf(name, parts)));
            Expression with = Expression.Sequence(member, afterMembers);
            Expression withComma = Expression.Sequence(comma, member, afterMembers);
            bool isRequired = required.Contains(name);
            afterNone = Named(isRequired ? with : Expression.Any(with, afterNone));
            afterMembers = Named(isRequired ? withComma : Expression.Any(withComma, afterMembers));
        }

        return Expression.Sequence(Expression.Text("{"), afterNone);
    }

    /// <summary>What each part says about a member: in its properties, or else about further ones.</summary>
    private static List<SchemaPlace> PlacesOf(string name, List<SchemaConstraints.ObjectPart> parts)
    {
        var places = new List<SchemaPlace>();
        foreach (SchemaConstraints.ObjectPart part in parts)
        {
            places.AddRange(part.Properties[name]);
            if (!part.Properties.Contains(name) && part.Additional is { } additional)
                places.Add(additional);
        }

        return places;
    }

    private Expression.Reference Named(Expression definition)
    {
        Rule rule = NewRule("members");
        rule.Definition = definition;
        return new Expression.Reference(rule);
    }

    private void RequireApart(SchemaConstraints.Choice choice, List<SchemaConstraints> options)
    {
        if (options.Count > MostExclusive)
            throw new InvalidRequestException(
                $"The JSON schema at {choice.Pointer} has a 'oneOf' of {options.Count} schemas, but {MostExclusive} are the most; use 'anyOf'.");
        for (int one = 0; one < options.Count; one++)
        {
            for (int other = one + 1; other < options.Count; other++)
            {
                if (!SchemaOverlap.AreApart(options[one], options[other], _folder))
                {
                    throw new InvalidRequestException(
                        $"The JSON schema at {choice.Pointer} has a 'oneOf' whose schemas {one} and {other} may both hold, as far as can be told; tell them apart by type or by a required property with a 'const', or use 'anyOf'.");
                }
            }
        }
    }
}
