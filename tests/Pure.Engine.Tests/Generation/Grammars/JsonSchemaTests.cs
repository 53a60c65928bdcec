using System.Diagnostics;
using System.Text.Json;
using Pure.Engine.Generation.Grammars;

namespace Pure.Engine.Tests.Generation.Grammars;

public sealed class JsonSchemaTests
{
    [Theory]
    [InlineData("true", new[] { "1", "[]", "{\"a\": [null]}" }, new[] { "", "[1,]", "{a:1}" })]
    [InlineData("{}", new[] { "1", "\"x\"", "-1.5e+3" }, new[] { "01", "1.", " 1", "\"\\x\"" })]
    [InlineData("""{"type":["null","boolean"]}""", new[] { "null", "true", "false" }, new[] { "0", "\"\"" })]
    [InlineData("""{"enum":["a",1,null,{"b":[1,"é"]}]}""", new[] { "\"a\"", "1", "null", "{\"b\":[1,\"é\"]}" }, new[] { "\"b\"", "2" })]
    [InlineData("""{"enum":["a",1,2.5],"type":"number"}""", new[] { "1", "2.5" }, new[] { "\"a\"" })]
    [InlineData("""{"enum":["abc","a",7],"minLength":2}""", new[] { "\"abc\"", "7" }, new[] { "\"a\"" })]
    [InlineData("""{"const":"a\n\"\u0001"}""", new[] { "\"a\\n\\\"\\u0001\"" }, new[] { "\"a\"" })]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3}""", new[] { "\"ab\"", "\"é😀ü\"", "\"\\n\\u00e9\"" }, new[] { "\"a\"", "\"abcd\"", "\"\\ud83d\\ude00a\"" })]
    [InlineData("""{"type":"string","pattern":"^[a-z\"]+$"}""", new[] { "\"ab\"", "\"a\\\"\"" }, new[] { "\"\"", "\"A\"", "\"a\"b\"" })]
    [InlineData("""{"type":"string","pattern":"b"}""", new[] { "\"abc\"", "\"b\"" }, new[] { "\"ac\"", "\"\"" })]
    [InlineData("""{"type":"string","format":"date"}""", new[] { "\"2024-02-29\"", "\"2023-12-31\"", "\"2000-02-29\"" }, new[] { "\"2023-02-29\"", "\"1900-02-29\"", "\"2024-04-31\"", "\"2024-13-01\"" })]
    [InlineData("""{"type":"string","format":"date-time"}""", new[] { "\"2024-01-02T03:04:05Z\"", "\"2024-01-02T23:59:59.123+01:00\"" }, new[] { "\"2024-01-02\"", "\"2024-01-02T24:00:00Z\"" })]
    [InlineData("""{"type":"string","format":"time"}""", new[] { "\"03:04:05Z\"" }, new[] { "\"03:04\"", "\"25:00:00Z\"" })]
    [InlineData("""{"type":"string","format":"uuid"}""", new[] { "\"01234567-89ab-cdef-0123-456789abcdef\"" }, new[] { "\"0123\"" })]
    [InlineData("""{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}""", new[] { "[1]", "[1,2, 3]" }, new[] { "[]", "[1,2,3,4]", "[\"a\"]" })]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"null"}]}""", new[] { "[]", "[1]", "[1,null]" }, new[] { "[null]", "[1,null,2]" })]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"}],"items":{"type":"boolean"},"minItems":2}""", new[] { "[1,true]", "[1,true,false]" }, new[] { "[1]", "[1,2]" })]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"integer"}],"items":false,"maxItems":1}""", new[] { "[]", "[1]" }, new[] { "[1,2]" })]
    [InlineData("""{"type":"array","items":{"type":"null"},"maxItems":0}""", new[] { "[]" }, new[] { "[null]" })]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"null"}},"required":["a"]}""", new[] { "{\"a\":1}", "{\"a\": 1, \"b\":null}" }, new[] { "{}", "{\"b\":null}", "{\"b\":null,\"a\":1}", "{\"a\":1,\"c\":2}" })]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}}}""", new[] { "{}", "{\"b\":null}", "{\"a\":null,\"c\":null}" }, new[] { "{,\"b\":null}", "{\"c\":null,\"a\":null}" })]
    [InlineData("""{"type":"object","properties":{"ab":{"type":"null"}},"additionalProperties":{"type":"integer"}}""", new[] { "{}", "{\"x\":1}", "{\"ab\":null,\"a\":1,\"abc\":2,\"\":3}" }, new[] { "{\"ab\":1}", "{\"a\":null}", "{\"\\u0061b\":1}", "{\"ab\":null,\"ab\":1}" })]
    [InlineData("""{"type":"object","additionalProperties":false}""", new[] { "{}" }, new[] { "{\"a\":1}" })]
    [InlineData("""{"type":"object","required":["x"]}""", new[] { "{\"x\":[1]}" }, new[] { "{}" })]
    [InlineData("""{"type":"object"}""", new[] { "{}", "{\"x\":{\"y\":1}}" }, new[] { "[]" })]
    [InlineData("""{"anyOf":[{"type":"string","maxLength":1},{"type":"integer"}]}""", new[] { "\"a\"", "12" }, new[] { "\"ab\"", "1.5" })]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}""", new[] { "{\"a\":1}", "{\"b\":1}", "{\"a\":1,\"b\":2}" }, new[] { "{}" })]
    [InlineData("""{"oneOf":[{"type":"object","properties":{"t":{"const":"x"}},"required":["t"]},{"type":"object","properties":{"t":{"const":"y"},"n":{"type":"null"}},"required":["t"]}]}""", new[] { "{\"t\":\"x\"}", "{\"t\":\"y\",\"n\":null}" }, new[] { "{\"t\":\"z\"}", "{\"t\":\"x\",\"n\":null}" })]
    [InlineData("""{"oneOf":[{"type":"integer","maximum":3},{"type":"number","minimum":4},{"enum":["a"]}]}""", new[] { "3", "4.5", "\"a\"" }, new[] { "3.5", "\"b\"" })]
    [InlineData("""{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"properties":{"a":{"minimum":5},"b":{"const":1}},"required":["a"]}]}""", new[] { "{\"a\":5}", "{\"a\":6,\"b\":1}" }, new[] { "{\"a\":4}", "{\"b\":1}" })]
    [InlineData("""{"allOf":[{"properties":{"a":{"type":"null"}},"additionalProperties":false},{"properties":{"b":{"type":"null"}}}]}""", new[] { "{}", "{\"a\":null}" }, new[] { "{\"b\":null}" })]
    [InlineData("""{"$ref":"#/$defs/list","$defs":{"list":{"anyOf":[{"type":"null"},{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/$defs/list"}},"required":["v","next"]}]}}}""", new[] { "null", "{\"v\":1,\"next\":{\"v\":2,\"next\":null}}" }, new[] { "{\"v\":1}" })]
    [InlineData("""{"type":"object","properties":{"c":{"type":"array","items":{"$ref":"#"}}}}""", new[] { "{}", "{\"c\":[{},{\"c\":[]}]}" }, new[] { "{\"c\":[1]}" })]
    [InlineData("""{"properties":{"a":{"$ref":"#/$defs/a~1b%20c","maximum":3}},"$defs":{"a/b c":{"type":"integer","minimum":2}}}""", new[] { "{\"a\":2}", "{\"a\":3}" }, new[] { "{\"a\":1}", "{\"a\":4}" })]
    [InlineData("""{"minLength":1,"title":"t","description":"d","default":3,"examples":[1],"uniqueItems":false}""", new[] { "\"a\"" }, new[] { "\"\"", "1" })]
    public void A_schema_allows_its_values_and_no_others(string schema, string[] accepted, string[] rejected)
    {
        Grammar grammar = Grammar.FromJsonSchema(schema);
        Assert.All(accepted, text => Assert.True(grammar.Matches(text), text));
        Assert.All(rejected, text => Assert.False(grammar.Matches(text), text));
    }

    [Theory]
    [InlineData("""{"type":"array","uniqueItems":true}""", "#/uniqueItems is the keyword 'uniqueItems', which is not supported")]
    [InlineData("""{"properties":{"a~/":{"not":{}}}}""", "#/properties/a~0~1/not is the keyword 'not'")]
    [InlineData("""{"type":"array","items":{"contains":1}}""", "#/items/contains is the keyword 'contains'")]
    [InlineData("""{"if":{}}""", "'if'")]
    [InlineData("""{"patternProperties":{}}""", "'patternProperties'")]
    [InlineData("""{"type":"string","format":"email"}""", "#/format is the format 'email', which is not supported; supported are date, time, date-time, uuid")]
    [InlineData("""{"type":"string","pattern":"(?=a)"}""", "looking ahead")]
    [InlineData("""{"type":"string","pattern":"a","maxLength":3}""", "'pattern' or 'format' together with a length")]
    [InlineData("""{"type":"text"}""", "is the type 'text'")]
    [InlineData("""{"type":5}""", "#/type is a number, expected a string")]
    [InlineData("""{"$ref":"other.json"}""", "only places in the same schema")]
    [InlineData("""{"$ref":"#/$defs/x"}""", "which is not there")]
    [InlineData("""{"$ref":"#"}""", "references that lead to one another")]
    [InlineData("""{"anyOf":[{"$ref":"#"}]}""", "begin with itself")]
    [InlineData("""{"type":"object","anyOf":[{"$ref":"#"},{}]}""", "alternatives within alternatives")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "may both hold")]
    [InlineData("""{"oneOf":[{"type":"string"},{"properties":{"a":{}}}]}""", "may both hold")]
    [InlineData("""{"type":"integer","minimum":5,"maximum":4}""", "allows no text")]
    [InlineData("false", "allows no text")]
    [InlineData("""{"type":"object","properties":{"a":false},"required":["a"]}""", "allows no text")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "allows no text")]
    [InlineData("""{"minLength":-1}""", "whole number from 0")]
    [InlineData("""{"minLength":1e400}""", "too large")]
    [InlineData("""{"multipleOf":0.01}""", "whole numbers from 1")]
    [InlineData("""{"multipleOf":7,"minimum":3}""", "'multipleOf'")]
    [InlineData("5", "is no schema")]
    [InlineData("{", "not valid JSON")]
    public void What_is_not_supported_is_refused_by_name_and_place(string schema, string problem)
    {
        InvalidRequestException refused = Assert.Throws<InvalidRequestException>(() => Grammar.FromJsonSchema(schema));
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_JSON_is_read_by_dotnet_however_deep()
    {
        foreach (string deep in (string[])["[", "{\"a\":"])
        {
            int nesting = 1;
            while (Grammar.JsonValue.Matches(Nested(deep, nesting + 1)))
                nesting++;
            Assert.InRange(nesting, 32, 64);
            using var parsed = JsonDocument.Parse(Nested(deep, nesting));
        }

        Assert.False(Grammar.JsonObject.Matches("[]"));
        Assert.True(Grammar.JsonObject.Matches("{\"a\": 1,\"b\":[true]}"));

        static string Nested(string open, int times) =>
            string.Concat(Enumerable.Repeat(open, times)) + "1" + new string(open == "[" ? ']' : '}', times);
    }

    [Fact]
    public void Large_schemas_are_compiled_or_refused_in_little_time()
    {
        var time = Stopwatch.StartNew();
        string properties = string.Join(',', Enumerable.Range(0, 2000).Select(at => $"\"p{at}\":{{\"type\":\"integer\",\"minimum\":{at}}}"));
        Assert.True(Grammar.FromJsonSchema($"{{\"properties\":{{{properties}}}}}").Matches("{\"p7\":9,\"p1999\":5000}"));
        string values = string.Join(',', Enumerable.Range(0, 20_000).Select(at => $"\"value {at}\""));
        Assert.True(Grammar.FromJsonSchema($"{{\"enum\":[{values}]}}").Matches("\"value 777\""));
        Assert.True(Grammar.FromJsonSchema("""{"type":"array","items":{"type":"null"},"minItems":1000000000}""").Matches("[]") is false);
        string choices = string.Join(',', Enumerable.Repeat("""{"anyOf":[{"minLength":1},{"minLength":2},{"minLength":3}]}""", 20));
        Assert.Throws<InvalidRequestException>(() => Grammar.FromJsonSchema($"{{\"allOf\":[{choices}]}}"));
        Assert.Throws<InvalidRequestException>(() => Grammar.FromJsonSchema(new string('[', 100_000)));
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(20), $"{time.Elapsed}");
    }
}
