using System.Globalization;
using System.Text.Json.Nodes;

namespace Pure.Engine.Tests.Generation.Grammars;

/// <summary>Draws JSON Schemas whose values are short, of all that grammars support.</summary>
/// <param name="seed">Chooses the schemas.</param>
/// <param name="hasFurtherMembers">Whether there are objects with any number of further members, of any name.</param>
internal sealed class RandomSchema(int seed, bool hasFurtherMembers)
{
    private static readonly string[] Names = ["a", "name", "id", "size\"", "é", "na", "x y", ""];
    private static readonly string[] Patterns = ["^[a-c]{1,4}$", "^\\d{2}-[A-F]$", "^(red|green|\"b\")$", "^[^a]$", "^\\w{0,3}$", "^a?b|c$"];
    private static readonly string[] Formats = ["date", "time", "date-time", "uuid"];
    private readonly Random _random = new(seed);
    private bool _refersToRoot;

    /// <summary>The next schema.</summary>
    internal JsonObject Next()
    {
        _refersToRoot = false;
        JsonObject schema = Object(3);
        if (_refersToRoot)
            schema["required"] = new JsonArray();
        schema["$defs"] = new JsonObject { ["short"] = String(), ["chain"] = Chain() };
        return schema;
    }

    private static JsonObject Chain() => new()
    {
        ["anyOf"] = new JsonArray(
            new JsonObject { ["type"] = "null" },
            new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject { ["next"] = new JsonObject { ["$ref"] = "#/$defs/chain" } },
                ["required"] = new JsonArray("next"),
                ["additionalProperties"] = false,
            }),
    };

    private JsonObject Any(int nesting) => _random.Next(nesting <= 0 ? 9 : 17) switch
    {
        0 or 1 => String(),
        2 => Integer(),
        3 => Number(),
        4 => new JsonObject { ["type"] = "boolean" },
        5 => new JsonObject { ["enum"] = new JsonArray("one", 2, null, 3.5, "ünï", new JsonArray(1, "two"), new JsonObject { ["k"] = true }) },
        6 => new JsonObject { ["const"] = _random.Next(2) == 0 ? "fixed \"text\"\n" : 42 },
        7 => new JsonObject { ["type"] = new JsonArray("null", "integer"), ["maximum"] = 99, ["minimum"] = -5 },
        8 => new JsonObject { ["$ref"] = _random.Next(3) == 0 ? "#/$defs/chain" : "#/$defs/short", ["description"] = "a reference" },
        9 or 10 => Array(nesting - 1),
        11 => new JsonObject { ["anyOf"] = new JsonArray(Any(nesting - 1), Any(nesting - 1), Integer()) },
        12 => new JsonObject { ["oneOf"] = new JsonArray(String(), Integer(), new JsonObject { ["type"] = "boolean" }) },
        13 => Tagged(),
        14 => All(nesting - 1),
        15 when nesting < 3 => ToRoot(),
        _ => Object(nesting - 1),
    };

    private JsonObject ToRoot()
    {
        _refersToRoot = true;
        return new JsonObject { ["$ref"] = "#" };
    }

    private JsonObject String()
    {
        var schema = new JsonObject { ["type"] = "string" };
        switch (_random.Next(4))
        {
            case 0:
                schema["pattern"] = Patterns[_random.Next(Patterns.Length)];
                break;
            case 1:
                schema["format"] = Formats[_random.Next(Formats.Length)];
                break;
            default:
                schema["minLength"] = _random.Next(3);
                schema["maxLength"] = 2 + _random.Next(8);
                break;
        }

        return schema;
    }

    private JsonObject Integer()
    {
        int least = _random.Next(-2000, 2000);
        var schema = new JsonObject { ["type"] = "integer", ["minimum"] = least, ["exclusiveMaximum"] = least + 1 + _random.Next(500) };
        if (_random.Next(3) == 0)
        {
            schema["multipleOf"] = 1 + _random.Next(7);
            schema["exclusiveMaximum"] = least + 10;
        }

        return schema;
    }

    private JsonObject Number()
    {
        var schema = new JsonObject { ["type"] = "number" };
        if (_random.Next(3) > 0)
            schema[_random.Next(2) == 0 ? "minimum" : "exclusiveMinimum"] = Decimal();
        if (_random.Next(3) > 0)
            schema["maximum"] = (schema["minimum"] ?? schema["exclusiveMinimum"])?.GetValue<decimal>() + _random.Next(1, 100) ?? Decimal();
        return schema;
    }

    private decimal Decimal() => decimal.Parse(
        string.Create(CultureInfo.InvariantCulture, $"{_random.Next(-300, 300)}.{_random.Next(1000)}"), CultureInfo.InvariantCulture);

    private JsonObject Array(int nesting)
    {
        int least = _random.Next(3);
        var schema = new JsonObject { ["type"] = "array", ["minItems"] = least, ["maxItems"] = least + _random.Next(3) };
        if (_random.Next(3) == 0)
            schema["prefixItems"] = new JsonArray(Any(nesting), Any(nesting));
        if (_random.Next(4) > 0)
            schema["items"] = Any(nesting);
        return schema;
    }

    private JsonObject Object(int nesting)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (string name in Names.OrderBy(_ => _random.Next()).Take(_random.Next(nesting == 3 ? 2 : 0, 4)))
        {
            properties[name] = Any(nesting);
            if (_random.Next(2) == 0)
                required.Add(name);
        }

        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required };
        switch (_random.Next(6))
        {
            case 0 when hasFurtherMembers:
                schema["additionalProperties"] = Any(0);
                break;
            case 1 or 2:
                schema["additionalProperties"] = false;
                break;
        }

        if (properties.Count == 0 && schema["additionalProperties"] is null)
            schema["additionalProperties"] = false;
        return schema;
    }

    private JsonObject Tagged()
    {
        return new JsonObject { ["oneOf"] = new JsonArray(Kind("cat", Integer()), Kind("dog", String())) };

        static JsonObject Kind(string tag, JsonObject value) => new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["const"] = tag }, ["value"] = value },
            ["required"] = new JsonArray("kind"),
        };
    }

    private JsonObject All(int nesting)
    {
        JsonObject one = Object(nesting);
        JsonObject other = Object(nesting);
        foreach (JsonObject schema in (JsonObject[])[one, other])
        {
            // Members that both name would often have no value in common.
            string suffix = schema == one ? "1" : "2";
            var renamed = new JsonObject();
            foreach ((string name, JsonNode? value) in schema["properties"]!.AsObject())
                renamed[name + suffix] = value!.DeepClone();
            schema["properties"] = renamed;
            schema["required"] = new JsonArray([.. renamed.Take(1).Select(member => JsonValue.Create(member.Key))]);
            schema.Remove("additionalProperties");
        }

        return new JsonObject { ["allOf"] = new JsonArray(one, other) };
    }
}
