using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Pure.Chat.Templates;

namespace Pure.Chat.Tests.Templates;

/// <summary>
/// Damaged templates and variables: rendered, or refused with a <see cref="TemplateException"/>, and nothing else. PURE_MUTATIONS
/// sets how many.
/// </summary>
public sealed class MutationTests
{
    private static readonly string[] Templates =
    [
        "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] | trim }}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}{% endfor %}",
        "{%- macro render(x, depth=0) -%}{%- if x is mapping -%}{%- for k, v in x.items() -%}{{ k }}: {{ render(v, depth + 1) }}{%- endfor -%}{%- elif x is iterable and x is not string -%}[{% for v in x %}{{ render(v) }}{% if not loop.last %}, {% endif %}{% endfor %}]{%- else -%}{{ x | string }}{%- endif -%}{%- endmacro -%}{{ render(tools) }}",
        "{% set ns = namespace(found=false, text='') %}{% for m in messages[::-1] %}{% if not ns.found and m.role == 'user' %}{% set ns.found = true %}{% set ns.text = m.content.split('\\n')[0] %}{% endif %}{% endfor %}{{ ns.text ~ '|' ~ (messages | length) }}{{ tools | tojson(indent=2) }}",
        "{% for m in messages | selectattr('role', 'in', ['user', 'system']) | list + [messages[0]] if m.content is defined %}{{ loop.index0 }}{{ '%s-%5d' | format(m.role, loop.index) }}{{ '{:>10}|{}'.format(m.content, none) }}{% else %}{{ raise_exception('empty') }}{% endfor %}",
        "{% macro outer(a, b) %}{{ caller(a ~ (b | join(',')) ~ varargs) }}{% endmacro %}{% call(x) outer('a' * 3, [1, 2.5, 'é😀'], *[1]) %}{{ x | upper | replace('A', 'b', 1) }}{% endcall %}{% filter indent(2) %}{% raw %}{{ x }}{% endraw %}{% endfilter %}{{ strftime_now('%d %B %Y') }}",
        "{% with a = (messages | map(attribute='content') | join(' ')), b = {'k': 1, 2: [3]} %}{{ a[1:-1:2].title().center(20, '*') }}{{ b.get('k', 0) ** 2 // 1 % 7 - -1 }}{{ 1 if a in b else 2 if a is not none and a is string else 3 }}{{ range(3, 0, -1) | sort | batch(2, 0) | list }}{% endwith %}{# c #}{% for x in [1, [2, [3]]] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}",
    ];

    private const string Variables =
        """{"messages": [{"role": "system", "content": "Be\nkind"}, {"role": "user", "content": "Hi 😀", "n": 1.5}, {"role": "assistant", "content": "Yo", "tool_calls": null}], "tools": [{"name": "f", "parameters": {"type": "object", "required": ["a"], "x": [true, 1e3, -7]}}], "bos_token": "<s>", "add_generation_prompt": true}""";

    private const string Splices =
        "{{|}}|{%|%}|{%-|-%}|{#|#}| if | else | for x in | is | not |(|)|[|]|{|}|'|\"|\\|\\u|**|* 99999|// 0|~|.pop()|.append(|.items()|.x|.0|[::-1]|[99]|\n|" +
        "|tojson|list|map('upper')|join|sort|default(|range(99999999)|namespace()|loop|loop(|caller()|varargs|none|true|-1|0|1e999|'x' * 9999999|{% endfor %}|{% endif %}|{% break %}|{% set x = |é|😀|\uFFFF|\0";

    [Fact]
    public void Mutated_templates_and_variables_are_rendered_or_refused() => MutateAll(Templates, 3000);

    [Fact]
    public void Mutated_public_templates_are_rendered_or_refused() => MutateAll(
        [.. Directory.GetFiles(Shared.Path("data", "templates"), "*.jinja").Order(StringComparer.Ordinal).Select(File.ReadAllText)], 500);

    private static void MutateAll(string[] templates, int standard)
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("PURE_MUTATIONS"), out int asked) ? asked : standard;
        var random = new Random(20260311);
        string[] splices = Splices.Split('|');
        var limits = new RenderOptions { MaxSteps = 200_000, MaxCharacters = 4_000_000, MaxTextLength = 1_000_000 };
        int rendered = 0;
        var slowest = TimeSpan.Zero;
        for (int i = 0; i < count; i++)
        {
            // Few edits, or what is read only in part would hide what is rendered.
            string template = Mutate(templates[random.Next(templates.Length)], splices, random, most: random.Next(2) == 0 ? 1 : 4);
            string json = random.Next(3) == 0 ? Mutate(Variables, splices, random, most: 3) : Variables;
            long begin = Stopwatch.GetTimestamp();
            try
            {
                using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(json));
                ChatTemplate.Parse(template, "mutant").Render(document.RootElement, limits);
                rendered++;
            }
            catch (Exception exception) when (exception is TemplateException or JsonException)
            {
                Assert.False(string.IsNullOrWhiteSpace(exception.Message) && exception is TemplateException { IsRaisedByTemplate: false });
            }
            catch (Exception exception)
            {
                Assert.Fail($"mutant {i}: {exception}\n{template}\n{json}");
            }

            TimeSpan time = Stopwatch.GetElapsedTime(begin);
            slowest = time > slowest ? time : slowest;
        }

        using var process = Process.GetCurrentProcess();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} templates, {rendered} rendered; the slowest took {slowest}; {process.PeakWorkingSet64 >> 20} MiB at most");
        Assert.InRange(rendered, count / 20, count);
        // Limits of 200,000 steps are reached in some milliseconds; a hang would be far beyond.
        Assert.True(slowest < TimeSpan.FromSeconds(20), $"a mutant took {slowest}");
    }

    private static string Mutate(string text, string[] splices, Random random, int most)
    {
        var mutant = new StringBuilder(text);
        for (int left = random.Next(1, most + 1); left > 0 && mutant.Length > 0; left--)
        {
            int at = random.Next(mutant.Length);
            int length = Math.Min(random.Next(1, 12), mutant.Length - at);
            switch (random.Next(5))
            {
                case 0:
                    mutant.Remove(at, length);
                    break;
                case 1:
                    mutant.Insert(at, splices[random.Next(splices.Length)]);
                    break;
                case 2:
                    mutant.Insert(random.Next(mutant.Length), mutant.ToString(at, length));
                    break;
                case 3:
                    mutant[at] = (char)random.Next(32, 127);
                    break;
                default:
                    mutant.Remove(at, length).Insert(at, splices[random.Next(splices.Length)]);
                    break;
            }
        }

        return mutant.ToString();
    }
}
