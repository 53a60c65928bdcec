using System.Text.Json;
using Pure.Chat.Templates;

namespace Pure.Chat.Tests.Templates;

/// <summary>The language, line by line. What is expected is what jinja2 3.1.6 renders.</summary>
public sealed class LanguageTests
{
    private static readonly JsonElement Variables = JsonElement.Parse(
        """
        {
         "s": "Hello, World",
         "u": "naïve 😀",
         "n": 7,
         "f": 2.5,
         "l": [
          3,
          1,
          2
         ],
         "d": {
          "b": 2,
          "a": 1,
          "items": [
           1
          ]
         },
         "none": null,
         "m": "a\nb\r\nc\n\nd",
         "ws": "  a  b\tc ",
         "msgs": [
          {
           "role": "user",
           "content": "hi",
           "n": 1
          },
          {
           "role": "assistant",
           "content": "yo",
           "n": 2
          },
          {
           "role": "user",
           "content": "x",
           "n": 3
          }
         ],
         "h": "<a&b>\"'"
        }
        """);

    [Theory]
    [InlineData("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ -7.5 // 2 }} {{ 7 / 2 }} {{ 6 / 2 }}", "3 -4 2 -2 -4.0 3.5 3.0")]
    [InlineData("{{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 10 ** 30 }} {{ 2 ** 0.5 }}", "1024 0.5 64 4 1000000000000000000000000000000 1.4142135623730951")]
    [InlineData("{{ '1' + 2 ~ 3 * 4 }} {{ 'a' ~ 1 + '2' }} {{ 1 and 2 }} {{ 0 or 'x' }} {{ not 1 == 2 }} {{ not none and 1 }}", "1212 a12 2 x True 1")]
    [InlineData("{{ 1 == 1.0 }} {{ true == 1 }} {{ '1' == 1 }} {{ (1, 2) == [1, 2] }} {{ {'a': 1} == {'a': 1.0} }} {{ none == false }}", "True True False False True False")]
    [InlineData("{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ [1, 2] < [1, 3] }} {{ 9007199254740993 == 9007199254740992.0 }} {{ 2 ** 63 - 1 }}", "True False True False 9223372036854775807")]
    [InlineData("{{ 'a' in d }} {{ 'zz' not in d }} {{ 2 in d.values() }} {{ 1.0 in [1] }} {{ '' in 'abc' }} {{ 3 in range(0, 9, 3) }}", "True True True True True True")]
    [InlineData("{{ 'ab' * 2 }}{{ [0] * 2 }}{{ (1,) * 2 }}{{ [1] + [2] }}{{ 'a' * -1 }} {{ -l[0] }} {{ +true }}", "abab[0, 0](1, 1)[1, 2] -3 1")]
    [InlineData("{{ 1 if false }}|{{ 1 if 0 else 2 if 0 else 3 }}|{{ 'y' if l is defined and l else 'n' }}", "|3|y")]
    [InlineData("{{ 1 is defined and 2 }} {{ n is odd }} {{ n is not divisibleby 2 }} {{ x is defined or n is number }} {{ -5 | abs }}", "2 True True True 5")]
    public void Operators_bind_and_compute_as_in_jinja(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{{ [1.0, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 0.1, -0.0, 1e22, 1e23, 2.5e-310, 100.0] }}", "[1.0, 1e+16, 1000000000000000.0, 1.2345678901234568e+17, 0.0001, 1e-05, 0.1, -0.0, 1e+22, 1e+23, 2.5e-310, 100.0]")]
    [InlineData("{{ [none, true, 1.5, 'a\\'b', 'a\"b', '\\n\\t\\\\', 'é', '\\x00\\x7f', '\\u200b', '😀'] }}", "[None, True, 1.5, \"a'b\", 'a\"b', '\\n\\t\\\\', 'é', '\\x00\\x7f', '\\u200b', '😀']")]
    [InlineData("{{ {} }} {{ () }} {{ (1,) }} {{ 1, 2 }} {{ {'a': [1, {'b': none}]} }} {{ range(3) }} {{ d.keys() }}", "{} () (1,) (1, 2) {'a': [1, {'b': None}]} range(0, 3) dict_keys(['b', 'a', 'items'])")]
    [InlineData("{{ 0.1 + 0.2 }} {{ 1 / 3 }} {{ 1e308 * 10 }} {{ 3.0 }} {{ 10000000000000000000000 + 1 }} {{ undefined }}|{{ [undefined] }}", "0.30000000000000004 0.3333333333333333 inf 3.0 10000000000000000000001 |[Undefined]")]
    [InlineData("{% set q = [1] %}{% set _ = q.append(q) %}{{ q }}", "[1, [...]]")]
    public void Values_print_as_in_python(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{{ s[::-1] }} {{ s[1:3] }} {{ s[-3:] }} {{ s[:-100] }}| {{ s[7:100] }} {{ u[6] }} {{ u[::-1] }} {{ u|length }} {{ u[5:7] }}", "dlroW ,olleH el rld | World 😀 😀 evïan 7  😀")]
    [InlineData("{{ l[-1] }} {{ l[5] }}| {{ l[::2] }} {{ l[-2::-1] }} {{ (1, 2, 3)[1:] }} {{ range(10)[2:8:3]|list }} {{ range(10)[::-4]|list }} {{ l[none:2] }}", "2 | [3, 2] [1, 3] (2, 3) [2, 5] [9, 5, 1] [3, 1]")]
    [InlineData("{{ d.a }} {{ d['a'] }} {{ d.zz }}| {{ d['items'] }} {{ d.items() }} {{ l.0 }} {{ msgs[0].role }} {{ msgs[-1]['content'] }} {{ 'abc'['upper']() }}", "1 1 | [1] dict_items([('b', 2), ('a', 1), ('items', [1])]) 3 user x ABC")]
    [InlineData("{{ {1: 'a', true: 'b', 1.0: 'c'} }} {{ {(1, 2): 3}[1, 2] }} {{ {none: 4}[none] }}", "{1: 'c'} 3 4")]
    public void Slices_and_keys_reach_what_they_reach_in_python(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{{ s.upper() }} {{ s.lower() }} {{ s.swapcase() }} {{ \"they're\".title() }} {{ 'HELLO wORLD'.capitalize() }}", "HELLO, WORLD hello, world hELLO, wORLD They'Re Hello world")]
    [InlineData("{{ ws.split() }} {{ ws.split(' ') }} {{ ws.split(none, 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'a,b,c'.split(',', maxsplit=1) }}", "['a', 'b', 'c'] ['', '', 'a', '', 'b\\tc', ''] ['a', 'b\\tc '] ['a,b', 'c'] ['a', 'b,c']")]
    [InlineData("{{ m.splitlines() }} {{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('x') }}", "['a', 'b', 'c', '', 'd'] ('a', '-', 'b-c') ('a-b', '-', 'c') ('abc', '', '')")]
    [InlineData("{{ 'xxabcxx'.strip('x') }} {{ ws.lstrip() }}| {{ ws.rstrip() }}| {{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('c') }}", "abc a  b\tc |   a  b\tc| bc ab")]
    [InlineData("{{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.startswith('b', 1) }} {{ 'abc'.endswith('b', 0, 2) }} {{ '😀bc'.find('c') }} {{ 'abcabc'.rfind('a') }} {{ 'aaa'.count('') }}", "True True True 2 3 4")]
    [InlineData("{{ 'abc'.center(6, '*') }} {{ 'ab'.ljust(4, '.') }} {{ 'ab'.rjust(4) }} {{ '-5'.zfill(5) }} {{ 'a\\tb'.expandtabs(4) }} {{ '-'.join(['a', 'b']) }}", "*abc** ab..   ab -0005 a   b a-b")]
    [InlineData("{{ 'ABC'.replace('', '-') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ ''.isdigit() }} {{ '12'.isdigit() }} {{ 'aB'.islower() }} {{ ' '.isspace() }}", "-A-B-C- bba False True False True")]
    public void Texts_have_pythons_methods(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{{ '%s %r %d %5.2f|%-5s|%05d|%+d|%x|%e|%g|%%' % ('a', 'b', 3, 2.345, 'z', 42, 7, 255, 12345.678, 0.0001) }}", "a 'b' 3  2.35|z    |00042|+7|ff|1.234568e+04|0.0001|%")]
    [InlineData("{{ '%(a)s-%(b)03d' % {'a': 1, 'b': 2} }} {{ '%s' % [1, 2] }} {{ '%d' % 3.99 }} {{ '%s|%s'|format('a', 2) }} {{ '%.2s' % 'xyz' }}", "1-002 [1, 2] 3 a|2 xy")]
    [InlineData("{{ '{:>6}|{:<6}|{:^6}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{:05d} {:+d} {:,} {:#x} {:b} {:e} {:.2f} {:.1%}'.format(2, 3, 1234567, 255, 5, 1234.5, 2.345, 0.256) }}", "     a|b     |  c   |***d*** 00002 +3 1,234,567 0xff 101 1.234500e+03 2.35 25.6%")]
    [InlineData("{{ '{0[a]} {1[0]} {x.y}'.format({'a': 1}, [5], x={'y': 2}) }} {{ '{!r}'.format('a') }} {{ '{:{}}|'.format('a', 3) }} {{ '{{}}{}'.format(1) }}", "1 5 2 'a' a  | {}1")]
    [InlineData("{{ 2.5|round }} {{ 3.5|round }} {{ 2.675|round(2) }} {{ 42|round }} {{ 1250|round(-2) }} {{ 2.1|round(0, 'ceil') }} {{ -0.4|round }}", "2.0 4.0 2.67 42 1200 3.0 -0.0")]
    public void Formats_follow_pythons_two_languages(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{{ l|sort }} {{ ['b', 'A', 'a']|sort }} {{ ['b', 'A', 'a']|sort(case_sensitive=true) }} {{ msgs|sort(attribute='role,n', reverse=true)|map(attribute='n')|list }}", "[1, 2, 3] ['A', 'a', 'b'] ['A', 'a', 'b'] [3, 1, 2]")]
    [InlineData("{{ d|dictsort }} {{ {'x': 2, 'y': 1}|dictsort(by='value') }} {{ d|items|first }} {{ d|length }} {{ l|sum }} {{ msgs|sum('n') }} {{ l|min }}{{ l|max }}", "[('a', 1), ('b', 2), ('items', [1])] [('y', 1), ('x', 2)] ('b', 2) 3 6 6 13")]
    [InlineData("{{ msgs|map(attribute='role')|unique|list }} {{ msgs|selectattr('n', 'gt', 1)|map(attribute='content')|join('+') }} {{ msgs|rejectattr('role', 'equalto', 'user')|list|length }}", "['user', 'assistant'] yo+x 1")]
    [InlineData("{% for g in msgs|groupby('role') %}{{ g.grouper }}={{ g.list|map(attribute='n')|join(',') }};{% endfor %}{% for role, of in msgs|groupby('role') %}{{ role }}{{ of|length }}{% endfor %}", "assistant=2;user=1,3;assistant1user2")]
    [InlineData("{{ range(7)|batch(3, 'x')|list }} {{ range(7)|slice(3)|list }} {{ [0, 1, '']|select|list }} {{ l|reverse|list }} {{ s|reverse }} {{ l|first }}{{ l|last }}{{ []|first }}", "[[0, 1, 2], [3, 4, 5], [6, 'x', 'x']] [[0, 1, 2], [3, 4], [5, 6]] [1] [2, 1, 3] dlroW ,olleH 32")]
    [InlineData("{{ m|indent(2, true) }} {{ 'foo bar baz qux'|truncate(9) }} {{ 'a b c d e f'|wordwrap(5) }} {{ \"bill's-friends (of) x\"|title }} {{ 'a b'|wordcount }} {{ 'a b/ä?'|urlencode }}", "  a\n  b\n  c\n\n  d foo... a b c\nd e f Bill's-Friends (Of) X 2 a%20b/%C3%A4%3F")]
    [InlineData("{{ '3.7'|int }} {{ 'x'|int(-1) }} {{ '0x1f'|int(0, 16) }} {{ '1.5'|float }} {{ none|int }} {{ x|default('d') }} {{ ''|d('e', true) }} {{ '<b>x</b>'|striptags }} {{ 1234567|filesizeformat }}", "3 -1 31 1.5 0 d e x 1.2 MB")]
    [InlineData("{{ h|e }} {{ ('<'|e) + '<' }} {{ ('<'|safe) ~ '<' }} {{ ('%s'|safe) % '<' }} {{ (h|e)|e }} {{ ['<'|safe, '<']|join('&') }} {{ [('a'|safe)] }}", "&lt;a&amp;b&gt;&#34;&#39; &lt;&lt; << &lt; &lt;a&amp;b&gt;&#34;&#39; <&< [Markup('a')]")]
    [InlineData("{{ 'yes' if []|select else 'no' }} {{ (l|map('string')) is iterable }} {% set g = l|map('string') %}{{ g|first }}{{ g|list }}{{ g|list }}", "yes True 3['1', '2'][]")]
    public void Filters_do_what_jinjas_do(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{{ [1, none, true, 1.5, 'a\"\\n\\u2028é😀\\x01/<>'] | tojson }} {{ {1: 2, none: 3, true: 4} | tojson }} {{ (1, 2) | tojson }}", "[1, null, true, 1.5, \"a\\\"\\n\u2028é😀\\u0001/<>\"] {\"1\": 4, \"null\": 3} [1, 2]")]
    [InlineData("{{ {'a': {'b': []}, 'c': {}, 'e': [1]} | tojson(indent=2) }}", "{\n  \"a\": {\n    \"b\": []\n  },\n  \"c\": {},\n  \"e\": [\n    1\n  ]\n}")]
    [InlineData("{{ d | tojson(sort_keys=true, separators=(',', ':')) }} {{ 'é' | tojson(ensure_ascii=true) }} {{ 1e20 | tojson }} {{ '{\"a\": [1, 2.0, null]}' | from_json }}", "{\"a\":1,\"b\":2,\"items\":[1]} \"\\u00e9\" 1e+20 {'a': [1, 2.0, None]}")]
    public void Json_is_written_as_python_dumps_it(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}", "4,2,3,1")]
    [InlineData("{% set ns = namespace(x=1) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}{{ ns.y }}{{ ns['x'] }}", "77")]
    [InlineData("{% if true %}{% set y = 5 %}{% endif %}{{ y }}{% with a = 1, b = 2 %}{{ a }}{{ b }}{% set q = 3 %}{% endwith %}{{ a }}{{ q }}", "512")]
    [InlineData("{% set a, (b, c) = 1, (2, 3) %}{{ a + b + c }}{% set z %}a{{ 1 }}{% endset %}{{ z|upper }}{% set z | upper %}abc{% endset %}{{ z }}", "6A1ABC")]
    [InlineData("{% generation %}{% set g = 1 %}{{ g }}{% endgeneration %}{{ g }}{% filter upper|replace('B', 'q') %}abc{% endfilter %}", "1AqC")]
    [InlineData("{% macro f() %}{{ later }}{% endmacro %}{% set later = 9 %}{{ f() }}{% for later in [1] %}{{ f() }}{% endfor %}", "99")]
    public void Scopes_are_those_of_blocks(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }}{{ loop.first }}{{ loop.last }} {% else %}none{% endfor %}{% for x in [] %}a{% else %}empty{% endfor %}", "1/2:3TrueFalse 2/2:2FalseTrue empty")]
    [InlineData("{% for x in l %}{{ loop.cycle('a', 'b') }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.revindex }}{{ loop.changed(x > 1) }} {% endfor %}", "a13True b322True a11True ")]
    [InlineData("{% for x in [1, 2] recursive %}{{ x }}{{ loop.depth }}{% if loop.depth < 3 %}[{{ loop([8, 9]) }}]{% endif %}{% endfor %}", "11[82[8393]92[8393]]21[82[8393]92[8393]]")]
    [InlineData("{% for i in range(3) %}{% for j in range(3) %}{% if j == 1 %}{% continue %}{% endif %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}", "00 02 20 22 ")]
    [InlineData("{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for c in 'a😀' %}{{ c }}.{% endfor %}", "123b=2;a=1;items=[1];a.😀.")]
    [InlineData("{% set q = [1, 2] %}{% for x in q %}{% if q|length < 5 %}{% set _ = q.append(x) %}{% endif %}{{ x }}{% endfor %}", "12121")]
    public void Loops_know_where_they_are(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{% macro m(a, b=2) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }} {{ m(1, 2, 3, x=5) }} {{ m() }} {{ m(b=7, a=8) }} {{ m.name }}", "12(){} 12(3,){'x': 5} 2(){} 87(){} m")]
    [InlineData("{% macro m(a) %}[{{ caller(a) if caller else 'no' }}]{% endmacro %}{{ m(1) }}{% call(x) m(5) %}c{{ x }}{% endcall %}", "[no][c5]")]
    [InlineData("{% macro down(n) %}{{ n }}{% if n > 0 %}{{ down(n - 1) }}{% endif %}{% endmacro %}{{ down(5) }}{% macro v(x=[]) %}{% set _ = x.append(1) %}{{ x }}{% endmacro %}{{ v() }}{{ v() }}", "543210[1][1]")]
    [InlineData("{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{% set j = joiner(',') %}{{ j() }}a{{ j() }}b {{ dict(a=1, b=2) }} {{ dict([('x', 1)], y=2) }}", "abaa,b {'a': 1, 'b': 2} {'x': 1, 'y': 2}")]
    [InlineData("{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(**{'a': 3, 'b': 4}) }}", "1234")]
    public void Macros_take_arguments_and_callers(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("{% set q = [1] %}{% set _ = q.append(2) %}{% set _ = q.extend([3, 4]) %}{% set _ = q.insert(0, 9) %}{{ q }}{{ q.pop() }}{{ q.pop(0) }}{{ q.index(2) }}{{ q.count(1) }}{{ q }}", "[9, 1, 2, 3, 4]4911[1, 2, 3]")]
    [InlineData("{% set e = {'a': 1} %}{% set _ = e.update({'b': 2}, c=3) %}{{ e }}{{ e.pop('a') }}{{ e.pop('zz', 0) }}{{ e.setdefault('q', 5) }}{{ e }}{{ e.popitem() }}{{ e.get('zz') }}", "{'a': 1, 'b': 2, 'c': 3}105{'b': 2, 'c': 3, 'q': 5}('q', 5)None")]
    public void Lists_and_dictionaries_change_in_place(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax { TrimBlocks = false, LstripBlocks = false }));

    [Theory]
    [InlineData("  {% if true %}\n  a\n  {% endif %}\nb\n", "  a\nb")]
    [InlineData("  {%- if true -%}  \n a \n {%- endif %}\n b", "a b")]
    [InlineData("{# c #}\n  {#- c -#}  \n x", "x")]
    [InlineData("  {%+ if true +%}\n a{% endif %}\n", "  \n a")]
    [InlineData("a\r\n{{ 1 }}\r\nb\r\n", "a\n1\nb")]
    [InlineData("{% raw %}{{ x }}\n{% endraw %}\n|{%- raw -%} {% y %} {%- endraw -%} |", "{{ x }}\n|{% y %}|")]
    [InlineData("{{ 'a' 'b' }} {{ \"\\x41\\u00e9\\t\\101\\z\" }} {{ 0x1F }} {{ 0b101 }} {{ 1_000 }} {{ 1.5E-2 }} {{ {'a': {}}['a'] }}", "ab Aé\tA\\z 31 5 1000 0.015 {}")]
    [InlineData("\t{{ 1 }}\n\n{% set x = 1 %}\n\n{{- x }}\n", "\t1\n\n1")]
    public void Blanks_around_tags_go_by_the_rules_of_chat_templates(string template, string expected) =>
        Assert.Equal(expected, Render(template, new TemplateSyntax()));

    [Fact]
    public void The_clock_is_the_one_that_is_given() => Assert.Equal(
        "2025-03-09 14:05:06 068 Sunday Sun March Mar PM 02 25 10 09 0 7 10 2025  9 9 03/09/25 2025-03-09 14:05:06 14:05 Sun Mar  9 14:05:06 2025 03/09/25 14:05:06 % 20 Mar",
        ChatTemplate.Parse("{{ strftime_now('%Y-%m-%d %H:%M:%S %j %A %a %B %b %p %I %y %U %W %w %u %V %G %e %-d %D %F %T %R %c %x %X %% %C %h') }}")
            .Render(Variables, new RenderOptions { Now = new DateTime(2025, 3, 9, 14, 5, 6) }));

    [Fact]
    public void Null_is_none_and_a_missing_key_is_undefined()
    {
        ChatTemplate template = ChatTemplate.Parse("{{ tools is defined }} {{ tools is none }} {{ tools }}");

        Assert.Equal("True True None", template.Render(JsonElement.Parse("""{"tools": null}""")));
        Assert.Equal("False False ", template.Render(JsonElement.Parse("{}")));
    }

    [Fact]
    public void A_rendering_changes_nothing_for_the_next_one()
    {
        ChatTemplate template = ChatTemplate.Parse("{% set _ = l.append(1) %}{% set range = 5 %}{{ l }}{{ range }}{{ dict(a=l) }}");
        string first = template.Render(Variables);

        Assert.Equal("[3, 1, 2, 1]5{'a': [3, 1, 2, 1]}", first);
        Assert.Equal(first, template.Render(Variables));
    }

    private static string Render(string template, TemplateSyntax syntax) =>
        ChatTemplate.Parse(template, "template", syntax).Render(Variables, ReferenceCases.Clock);
}
