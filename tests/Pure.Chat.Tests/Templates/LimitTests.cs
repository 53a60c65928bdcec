using System.Text.Json;
using Pure.Chat.Templates;

namespace Pure.Chat.Tests.Templates;

/// <summary>Templates that would never end, or never fit, end in one sentence.</summary>
public sealed class LimitTests
{
    private static readonly JsonElement Nothing = JsonElement.Parse("{}");

    /// <summary>Tighter than the defaults where a test would otherwise only wait longer.</summary>
    private static readonly RenderOptions Tight = new() { MaxSteps = 2_000_000, MaxCharacters = 1 << 26 };

    [Theory]
    [InlineData("{% for i in range(10 ** 9) %}{% endfor %}", "steps")]
    [InlineData("{% for i in range(10 ** 30) %}x{% endfor %}", "steps")]
    [InlineData("{% set q = [1] %}{% for x in q %}{% set _ = q.append(x) %}{% endfor %}", "steps")]
    [InlineData("{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{{ range(10 ** 9) | list }}", "steps")]
    [InlineData("{{ range(10 ** 12) | sum }}", "steps")]
    [InlineData("{{ -1 in range(10 ** 12) | map('string') }}", "steps")]
    [InlineData("{{ [0] * 10 ** 9 }}", "steps")]
    [InlineData("{{ (0,) * 10 ** 9 }}", "steps")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x }}{{ ns.x }}", "steps")]
    [InlineData("{% set ns = namespace(x=[], y=[]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}", "steps")]
    [InlineData("{% set ns = namespace(x=1, y=1) %}{% for i in range(60) %}{% set ns.x = (ns.x, ns.x) %}{% set ns.y = (ns.y, ns.y) %}{% endfor %}{{ {ns.x: 1}[ns.y] }}", "steps")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x + [1] %}{% endfor %}", "steps")]
    [InlineData("{% set q = range(100000) | list %}{% for i in range(100000) %}{% set _ = q.pop(0) %}{% set _ = q.append(1) %}{% endfor %}", "steps")]
    [InlineData("{{ 'a' * 10 ** 9 }}", "longer than")]
    [InlineData("{{ 10 ** 9 * 'a' }}", "longer than")]
    [InlineData("{{ ('a' * 10 ** 6) | replace('a', 'b' * 10 ** 6) }}", "longer than")]
    [InlineData("{{ ('a' * 10 ** 6).replace('', 'b' * 10 ** 6) }}", "longer than")]
    [InlineData("{{ ('b' * 10 ** 6).join('a' * 10 ** 6) }}", "longer than")]
    [InlineData("{{ ('a' * 10 ** 5) | list | join('b' * 10 ** 6) }}", "longer than")]
    [InlineData("{{ 'a'.center(10 ** 9) }}", "longer than")]
    [InlineData("{{ 'a'.ljust(10 ** 9) }}", "longer than")]
    [InlineData("{{ 'a'.zfill(10 ** 12) }}", "longer than")]
    [InlineData("{{ 'a' | center(10 ** 9) }}", "longer than")]
    [InlineData("{{ '\\t'.expandtabs(10 ** 9) }}", "longer than")]
    [InlineData("{{ 'a' | indent(10 ** 9, true) }}", "longer than")]
    [InlineData("{{ [[1]] | tojson(indent=10 ** 9) }}", "longer than")]
    [InlineData("{{ '%999999999d' % 1 }}", "longer than")]
    [InlineData("{{ '%*d' % (10 ** 9, 1) }}", "longer than")]
    [InlineData("{{ '{:999999999}'.format(1) }}", "longer than")]
    [InlineData("{{ '{:99999999999999}'.format(1) }}", "too large")]
    [InlineData("{{ '{:>{w}}'.format('a', w=10 ** 9) }}", "longer than")]
    [InlineData("{{ '{0:{1}}'.format('a', 10 ** 9) }}", "longer than")]
    [InlineData("{{ '{:.999999999f}'.format(1.5) }}", "precision")]
    [InlineData("{{ ('{:10000}' * 10 ** 5).format(*range(10 ** 5)) }}", "")]
    [InlineData("{{ '%(a)999999999s' % {'a': 1} }}", "longer than")]
    [InlineData("{% macro m(n) %}{% call m(n + 1) %}{{ n }}{% endcall %}{% endmacro %}{{ m(0) }}", "")]
    [InlineData("{% macro m() %}{% for x in [1] %}{% set y %}{{ m() }}{% endset %}{% endfor %}{% endmacro %}{{ m() }}", "levels")]
    [InlineData("{{ '%.999999999f' % 1.5 }}", "precision")]
    [InlineData("{{ 1.5 | round(10 ** 9) }}", "decimals")]
    [InlineData("{{ 10 ** (10 ** 10) }}", "bits")]
    [InlineData("{{ 2 ** (10 ** 12) }}", "bits")]
    [InlineData("{% set ns = namespace(x=3) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}", "bits")]
    [InlineData("{{ ('9' * 100000) | int }}", "bits")]
    [InlineData("{{ 10 ** 2000 * 1.0 }}", "too large")]
    [InlineData("{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "longer than")]
    [InlineData("{% for i in range(9999) %}{{ 'abcdefghij' * 9999 }}{% endfor %}", "longer than")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{% for i in range(10 ** 6) %}{% set _ = s.find('b') %}{% endfor %}", "characters of text")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{{ s.find('a' * 10 ** 6 + 'b') }}", "characters of text")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{% set t = 'a' * 10 ** 7 %}{% for i in range(10 ** 6) %}{% set _ = s == t %}{% endfor %}", "characters of text")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{% for i in range(10 ** 6) %}{% set _ = s | length %}{% endfor %}", "characters of text")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{% set d = {s: 1} %}{% for i in range(10 ** 6) %}{% set _ = d[s] %}{% endfor %}", "characters of text")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{{ s.strip('b' * 10 ** 6 + 'a') }}", "characters of text")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{% for i in range(10 ** 6) %}{% set _ = s | center(3) %}{% endfor %}", "characters of text")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{% for i in range(10 ** 6) %}{% set _ = s | truncate(10 ** 8) %}{% endfor %}", "characters of text")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{% for i in range(10 ** 6) %}{% set _ = s is lower %}{% endfor %}", "characters of text")]
    [InlineData("{% set s = 'a' * 10 ** 7 %}{% for i in range(10 ** 6) %}{% set _ = s | int %}{% endfor %}", "")]
    [InlineData("{{ ('a' * 10 ** 7) | wordwrap(1) }}", "characters of text")]
    [InlineData("{{ ('a ' * 10 ** 6).rsplit(none, 10 ** 5) }}", "characters of text")]
    [InlineData("{% set d = dict() %}{% for i in range(10 ** 5) %}{% set _ = d.update({'k' ~ i: i}) %}{% endfor %}{{ ('{k99999}' * 10 ** 6).format(**d) }}", "steps")]
    [InlineData("{{ ([0] * 10 ** 5) | map('default', *range(10 ** 5)) | list }}", "")]
    [InlineData("{% set ns = namespace(m=none) %}{% macro f() %}{% macro g() %}{% set ns.m = ns.f %}{% endmacro %}{% endmacro %}{% macro first() %}{% macro next() %}{% set ns.m = next %}{% endmacro %}{% set ns.m = next %}{% endmacro %}{{ first() }}{{ 'a' * 10 ** 9 }}", "longer than")]
    [InlineData("{{ strftime_now('%c' * 10 ** 7) }}", "longer than")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "levels")]
    [InlineData("{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{% call a() %}{% endcall %}{% endmacro %}{{ a() }}", "")]
    [InlineData("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "levels")]
    [InlineData("{% set ns = namespace(g=[1]) %}{% for i in range(9999) %}{% set ns.g = ns.g | map('string') %}{% endfor %}{{ ns.g | list }}", "levels")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}", "levels")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}", "levels")]
    [InlineData("{% set ns = namespace(x=1) %}{% for i in range(9999) %}{% set ns.x = (ns.x,) %}{% endfor %}{{ {ns.x: 1} }}", "levels")]
    [InlineData("{% set q = [] %}{% set _ = q.append(q) %}{{ q | tojson }}", "levels")]
    [InlineData("{% set q = [] %}{% set _ = q.append(q) %}{% set p = [] %}{% set _ = p.append(p) %}{{ q == p }}", "levels")]
    [InlineData("{% set g = namespace() %}{% set g.g = [1] | map('default', g) %}{% for x in g.g %}{{ g.g | list }}{% endfor %}{{ 'x' * 10 ** 9 }}", "longer than")]
    public void A_template_without_bounds_ends_in_one_sentence(string template, string fact)
    {
        var exception = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template, "bomb").Render(Nothing, Tight));

        Assert.StartsWith("bomb, line 1: ", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
        Assert.Contains(fact, exception.Message, StringComparison.Ordinal);
        Assert.False(exception.IsRaisedByTemplate);
    }

    [Theory]
    [InlineData("(", "1", ")")]
    [InlineData("[", "", "]")]
    [InlineData("not ", "1", "")]
    [InlineData("-", "1", "")]
    [InlineData("a[", "1", "]")]
    [InlineData("a|f(", "1", ")")]
    [InlineData("{1:", "1", "}")]
    [InlineData("1 if ", "1", "")]
    [InlineData("1 if 1 else ", "1", "")]
    public void Expressions_nested_without_end_are_refused(string open, string middle, string close)
    {
        const int Depth = 60_000;
        string template = $"{{{{ {string.Concat(Enumerable.Repeat(open, Depth))}{middle}{string.Concat(Enumerable.Repeat(close, Depth))} }}}}";
        Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template).Render(Nothing));
    }

    [Theory]
    [InlineData("{% if 1 %}")]
    [InlineData("{% for x in y %}")]
    [InlineData("{% macro m() %}")]
    [InlineData("{% set x %}")]
    public void Blocks_nested_without_end_are_refused(string open)
    {
        string template = string.Concat(Enumerable.Repeat(open, 60_000));
        Assert.Contains("deeper", Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(" + 1", false)]
    [InlineData(" ~ 1", true)]
    [InlineData(" and 1", true)]
    [InlineData(" < 2", true)]
    [InlineData(".x", false)]
    [InlineData("|string", false)]
    public void A_chain_of_100000_operators_is_rendered_or_refused(string link, bool works)
    {
        string template = $"{{{{ 1{string.Concat(Enumerable.Repeat(link, 100_000))} }}}}";
        if (works)
            Assert.NotEmpty(ChatTemplate.Parse(template).Render(Nothing));
        else
            Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template).Render(Nothing));
    }

    [Fact]
    public void Flags_and_names_without_end_are_read_in_linear_time()
    {
        Assert.Equal("1", ChatTemplate.Parse("{{ ('%' ~ '-' * 10 ** 7 ~ 'd') % 1 }}").Render(Nothing));
        Assert.Throws<TemplateException>(
            () => ChatTemplate.Parse($"{{{{ x | a{string.Concat(Enumerable.Repeat(".a", 500_000))} }}}}").Render(Nothing));
    }

    [Fact]
    public void Nesting_that_templates_need_is_rendered_even_on_a_small_stack()
    {
        string open = string.Concat(Enumerable.Repeat("(", 100));
        string close = string.Concat(Enumerable.Repeat(")", 100));
        string ifs = string.Concat(Enumerable.Repeat("{% if 1 %}", 100));
        string ends = string.Concat(Enumerable.Repeat("{% endif %}", 100));
        string? text = null;
        var thread = new Thread(() => text = ChatTemplate.Parse($"{ifs}{{{{ {open}7{close} }}}}{ends}").Render(Nothing), 1 << 20);
        thread.Start();
        thread.Join();
        Assert.Equal("7", text);
    }

    [Theory]
    [InlineData(1 << 18)]
    [InlineData(1 << 20)]
    public void A_small_stack_ends_a_recursion_in_one_sentence_too(int bytes)
    {
        Exception? failure = null;
        var thread = new Thread(
            () => failure = Record.Exception(() => ChatTemplate.Parse("{% macro m() %}{{ [m()] | map('string') | list }}{% endmacro %}{{ m() }}").Render(Nothing)),
            bytes);
        thread.Start();
        thread.Join();
        Assert.Contains("levels", Assert.IsType<TemplateException>(failure).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_limits_that_hold_by_default_end_an_endless_loop_too()
    {
        ChatTemplate template = ChatTemplate.Parse("{% for i in range(10 ** 9) %}{% endfor %}");
        Assert.Contains("steps", Assert.Throws<TemplateException>(() => template.Render(Nothing)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_are_those_of_the_options()
    {
        ChatTemplate template = ChatTemplate.Parse("{% for i in range(100) %}ab{% endfor %}");

        Assert.Equal(200, template.Render(Nothing).Length);
        Assert.Throws<TemplateException>(() => template.Render(Nothing, new RenderOptions { MaxSteps = 100 }));
        Assert.Throws<TemplateException>(() => template.Render(Nothing, new RenderOptions { MaxCharacters = 100 }));
        Assert.Throws<TemplateException>(() => template.Render(Nothing, new RenderOptions { MaxTextLength = 100 }));
        Assert.Throws<TemplateException>(() => template.Render(Nothing, new RenderOptions { MaxDepth = 1 }));
    }
}
