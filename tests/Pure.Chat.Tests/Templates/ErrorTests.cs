using System.Text.Json;
using Pure.Chat.Templates;

namespace Pure.Chat.Tests.Templates;

/// <summary>What is wrong with a template is said in one sentence, with the line.</summary>
public sealed class ErrorTests
{
    private static readonly JsonElement Variables = JsonElement.Parse("""{"s": "x", "d": {}, "l": [1]}""");

    [Theory]
    [InlineData("a\n{{ x", 2, "no end '}}'")]
    [InlineData("{% if s %}\n{{ 1 }", 2, "")]
    [InlineData("{# a\nb", 1, "comment")]
    [InlineData("{% raw %}", 1, "endraw")]
    [InlineData("\n{{ 'abc }}", 2, "string has no end")]
    [InlineData("{{ }}", 1, "expected an expression")]
    [InlineData("{{ a b }}", 1, "expected '}}', found 'b'")]
    [InlineData("{{ (1 }}", 1, "")]
    [InlineData("{{ [1, 2) }}", 1, "closes no bracket")]
    [InlineData("{{ 1 $ 2 }}", 1, "U+0024")]
    [InlineData("{{ a.'b' }}", 1, "expected a name after '.'")]
    [InlineData("\n\n{% for x in y %}", 3, "'endfor'")]
    [InlineData("{% for x in y %}{% endif %}", 1, "")]
    [InlineData("{% for x of y %}{% endfor %}", 1, "expected 'in'")]
    [InlineData("{% endif %}", 1, "'endif' ends no block")]
    [InlineData("{% foo %}", 1, "no block 'foo'")]
    [InlineData("{% break %}", 1, "in no loop")]
    [InlineData("{% for x in s %}{% macro m() %}{% continue %}{% endmacro %}{% endfor %}", 1, "in no loop")]
    [InlineData("{% set true = 1 %}", 1, "'true'")]
    [InlineData("{% macro m(a=1, b) %}{% endmacro %}", 1, "'b'")]
    [InlineData("{{ f(a=1, 2) }}", 1, "without a name")]
    [InlineData("{{ x is defined is string }}", 1, "two tests")]
    [InlineData("{% call s %}{% endcall %}", 1, "'call' needs a call")]
    [InlineData("{{ '\\x4' }}", 1, "2 hexadecimal digits")]
    public void A_text_that_is_no_template_is_refused_where_it_goes_wrong(string template, int line, string fact)
    {
        var exception = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template, "t.jinja"));

        Assert.Equal(line, exception.Line);
        Assert.StartsWith($"t.jinja, line {line}: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(fact, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\n{{ x.y }}", 2, "'x' is undefined")]
    [InlineData("{{ d.x.y }}", 1, "'dict object' has no attribute 'x'")]
    [InlineData("{{ s.x() }}", 1, "'str object' has no attribute 'x'")]
    [InlineData("{{ x() }}", 1, "'x' is undefined")]
    [InlineData("\n{{ s\n+ 1 }}", 3, "can only concatenate str (not \"int\") to str")]
    [InlineData("{{ x + 1 }}", 1, "'x' is undefined")]
    [InlineData("{{ 1 // 0 }}", 1, "division by zero")]
    [InlineData("{{ 1 < 'a' }}", 1, "'<' not supported between instances of 'int' and 'str'")]
    [InlineData("{{ 1 in 'a' }}", 1, "requires string as left operand, not int")]
    [InlineData("{% for x in 5 %}{% endfor %}", 1, "'int' object is not iterable")]
    [InlineData("{% set a, b = l %}", 1, "not enough values to unpack (expected 2, got 1)")]
    [InlineData("{{ s|nope }}", 1, "no filter 'nope'")]
    [InlineData("{{ s is nope }}", 1, "no test 'nope'")]
    [InlineData("{{ s|replace }}", 1, "'replace' lacks its argument 'old'")]
    [InlineData("{{ s.upper(1) }}", 1, "'upper' takes at most 1 arguments")]
    [InlineData("{{ s|trim(foo=1) }}", 1, "no argument named 'foo'")]
    [InlineData("{{ l[0]() }}", 1, "'int' object is not callable")]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", 1, "macro 'm' takes not more than 1 argument(s)")]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(z=2) }}", 1, "takes no keyword argument 'z'")]
    [InlineData("{{ x|tojson }}", 1, "'x' is undefined")]
    [InlineData("{{ d.items()|tojson }}", 1, "dict_items is not JSON serializable")]
    [InlineData("{{ {[1]: 2} }}", 1, "unhashable type: 'list'")]
    [InlineData("{{ l|map('string')|length }}", 1, "has no len()")]
    [InlineData("{{ '[1'|from_json }}", 1, "is no JSON")]
    [InlineData("{% for k in d.keys() %}{% endfor %}{% for k in {'a': 1} %}{% endfor %}{{ 5[0:1] }}", 1, "cannot be sliced")]
    public void A_template_that_fails_says_where_and_what(string template, int line, string fact)
    {
        var exception = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template, "t.jinja").Render(Variables));

        Assert.Equal(line, exception.Line);
        Assert.StartsWith($"t.jinja, line {line}: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(fact, exception.Message, StringComparison.Ordinal);
        Assert.False(exception.IsRaisedByTemplate);
    }

    [Fact]
    public void What_a_template_raises_is_said_as_it_says_it()
    {
        var exception = Assert.Throws<TemplateException>(
            () => ChatTemplate.Parse("\n{{ raise_exception('No \"system\" here, é!') }}").Render(Variables));

        Assert.Equal("No \"system\" here, é!", exception.Message);
        Assert.Equal(2, exception.Line);
        Assert.True(exception.IsRaisedByTemplate);
    }

    [Theory]
    [InlineData("[]", "array")]
    [InlineData("\"x\"", "string")]
    [InlineData("null", "null")]
    [InlineData("{\"x\": \"\\ud800\"}", "surrogate")]
    [InlineData("{\"\\udc00\": 1}", "surrogate")]
    public void Variables_that_are_none_are_refused(string json, string fact)
    {
        var exception = Assert.Throws<TemplateException>(() => ChatTemplate.Parse("x").Render(JsonElement.Parse(json)));
        Assert.Contains(fact, exception.Message, StringComparison.Ordinal);
    }
}
