using System.Text.Json;
using Pure.Chat.Templates;

namespace Pure.Chat.Tests.Templates;

/// <summary>
/// Walks that reach the host in interpreters which reflect over its objects (CVE-2024-34359, CVE-2026-5760): here there is nothing to
/// walk to.
/// </summary>
public sealed class SandboxTests
{
    private static readonly JsonElement Variables = JsonElement.Parse("""{"messages": [{"role": "user", "content": "hi"}], "s": "x"}""");

    [Theory]
    [InlineData("''.__class__")]
    [InlineData("[].__class__")]
    [InlineData("{}.__class__")]
    [InlineData("().__class__")]
    [InlineData("(1).__class__")]
    [InlineData("none.__class__")]
    [InlineData("true.__doc__")]
    [InlineData("range.__globals__")]
    [InlineData("range.__self__")]
    [InlineData("raise_exception.__globals__")]
    [InlineData("strftime_now.__code__")]
    [InlineData("cycler.__init__")]
    [InlineData("joiner.__init__")]
    [InlineData("namespace.__init__")]
    [InlineData("namespace().__class__")]
    [InlineData("messages.__reduce__")]
    [InlineData("s.format.__self__")]
    [InlineData("''['__class__']")]
    [InlineData("''|attr('__class__')")]
    [InlineData("s.Length")]
    [InlineData("s.GetType")]
    [InlineData("s['GetType']")]
    [InlineData("messages.Count")]
    [InlineData("messages.GetType")]
    [InlineData("messages[0].Keys")]
    [InlineData("range.Target")]
    [InlineData("range.Method")]
    [InlineData("('x'|list).Capacity")]
    public void An_attribute_of_the_host_is_undefined(string expression)
    {
        Assert.Equal("True", ChatTemplate.Parse($"{{{{ ({expression}) is undefined }}}}").Render(Variables));
        Assert.Equal("", ChatTemplate.Parse($"{{{{ {expression} }}}}").Render(Variables));
    }

    [Theory]
    [InlineData("''.__class__.__mro__[1].__subclasses__()")]
    [InlineData("[].__class__.__base__.__subclasses__()[80].__init__.__globals__['__builtins__']['eval']('1')")]
    [InlineData("cycler.__init__.__globals__.os.popen('id').read()")]
    [InlineData("joiner.__init__.__globals__.os.system('id')")]
    [InlineData("lipsum.__globals__['os'].popen('id').read()")]
    [InlineData("self._TemplateReference__context.cycler")]
    [InlineData("self.__init__.__globals__")]
    [InlineData("request.application.__globals__")]
    [InlineData("config.items()")]
    [InlineData("get_flashed_messages.__globals__")]
    [InlineData("range.__globals__.x")]
    [InlineData("''|attr('__class__')|attr('__mro__')")]
    [InlineData("'{0.__class__.__mro__}'.format('')")]
    [InlineData("'{0.__class__}{0.__class__.x}'.format(s)")]
    [InlineData("'{x.__init__.__globals__[os]}'.format(x=cycler)")]
    [InlineData("'{0.__class__.x}'.format_map({'0': s})")]
    [InlineData("[messages]|map(attribute='__class__.__base__')|list")]
    [InlineData("[s]|groupby('__class__.__mro__')")]
    [InlineData("import('os')")]
    [InlineData("open('/etc/passwd').read()")]
    [InlineData("eval('1')")]
    [InlineData("__import__('os')")]
    [InlineData("s.GetType().Assembly")]
    [InlineData("''.join.__call__('a').x")]
    public void A_walk_to_the_host_ends_in_one_sentence(string expression)
    {
        var exception = Assert.Throws<TemplateException>(() => ChatTemplate.Parse($"{{{{ {expression} }}}}", "evil").Render(Variables));
        Assert.StartsWith("evil, line 1: ", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>The shapes in which attacks were published: a search through the classes of the host, and the ways around filters
    /// on it.</summary>
    [Theory]
    [InlineData("{% for c in [].__class__.__base__.__subclasses__() %}{% if c.__name__ == 'catch_warnings' %}{{ c()._module.__builtins__['__import__']('os').popen('id').read() }}{% endif %}{% endfor %}")]
    [InlineData("{% for x in ().__class__.__base__.__subclasses__() %}{% if 'warning' in x.__name__ %}{{ x()._module.__builtins__['__import__']('os').system('id') }}{% endif %}{% endfor %}")]
    [InlineData("{{ self.__init__.__globals__.__builtins__.__import__('os').popen('id').read() }}")]
    [InlineData("{{ cycler.__init__.__globals__.os.popen('id').read() }}")]
    [InlineData("{{ (messages|attr('__class__')|attr('__base__')).__subclasses__() }}")]
    [InlineData("{{ ''['__cla' ~ 'ss__']['__mro__'][1] }}")]
    [InlineData("{{ ''|attr(['__cla', 'ss__']|join)|attr('mro')() }}")]
    [InlineData("{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f')|attr('mro')() }}")]
    [InlineData("{% set c = cycler('a') %}{{ c.next.__globals__.os }}")]
    [InlineData("{% macro m() %}{% endmacro %}{{ m.__globals__.os }}")]
    [InlineData("{% macro m() %}{{ caller.__globals__.os }}{% endmacro %}{% call m() %}{% endcall %}")]
    [InlineData("{% for x in [1] %}{{ loop.__class__.__mro__ }}{% endfor %}")]
    [InlineData("{{ '{0.__init__.__globals__[os]}'.format(raise_exception) }}")]
    [InlineData("{{ ['{0.__class__.__mro__}']|map('format', s)|list|first|attr('x')() }}")]
    [InlineData("{{ messages.append.__self__.__class__ }}")]
    [InlineData("{{ dict.__subclasses__() }}")]
    public void A_published_attack_ends_in_one_sentence(string template)
    {
        var exception = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template, "evil").Render(Variables));
        Assert.StartsWith("evil, line 1: ", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Pure.", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% include '/etc/passwd' %}")]
    [InlineData("{% import 'os' as os %}")]
    [InlineData("{% from 'os' import system %}")]
    [InlineData("{% extends 'x' %}")]
    [InlineData("{% autoescape true %}{% endautoescape %}")]
    [InlineData("{% trans %}x{% endtrans %}")]
    [InlineData("{% debug %}")]
    public void Blocks_that_reach_out_are_no_part_of_the_language(string template) =>
        Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template));

    [Theory]
    [InlineData("{% set range.x = 1 %}")]
    [InlineData("{% set s.x = 1 %}")]
    [InlineData("{% set messages.x = 1 %}")]
    public void Only_namespaces_have_attributes_that_can_be_set(string template) =>
        Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template).Render(Variables));
}
