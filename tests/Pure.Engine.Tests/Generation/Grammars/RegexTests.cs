using System.Diagnostics;
using System.Text.RegularExpressions;
using Pure.Engine.Generation.Grammars;

namespace Pure.Engine.Tests.Generation.Grammars;

public sealed class RegexTests
{
    [Theory]
    [InlineData("^abc$", new[] { "abc" }, new[] { "", "abcd", "xabc" })]
    [InlineData("a|b|", new[] { "a", "b", "" }, new[] { "ab" })]
    [InlineData("^a$|^b", new[] { "a", "b" }, new[] { "ab" })]
    [InlineData("(?:ab)+(?<tail>c)??d*?", new[] { "ab", "ababcdd" }, new[] { "", "aba", "abcc" })]
    [InlineData("\\d{2,4}-\\w+\\s\\S", new[] { "12-a_9\u00A0é", "1234-Z \u4e2d" }, new[] { "1-a b", "12-é b", "12-a  " })]
    [InlineData("[^\\d\\s]{3}", new[] { "abc", "é-😀" }, new[] { "ab1", "a c" })]
    [InlineData("[\\w.-]+@[a-z]+[.]com", new[] { "a.b-c@d.com" }, new[] { "@d.com", "a@d,com" })]
    [InlineData("\\u0041\\x42\\u{1F600}\\uD83D\\uDE01\\.\\/\\t\\0", new[] { "AB😀😁./\t\0" }, new[] { "AB" })]
    [InlineData(".", new[] { "a", "😀" }, new[] { "\n", "\u2028", "", "ab" })]
    [InlineData("[-a]", new[] { "-", "a" }, new[] { "b" })]
    [InlineData("[a-]", new[] { "-", "a" }, new[] { "b" })]
    public void An_expression_allows_its_texts_and_no_others(string pattern, string[] accepted, string[] rejected)
    {
        Grammar compiled = Grammar.FromRegex(pattern);
        Assert.All(accepted, text => Assert.True(compiled.Matches(text), text));
        Assert.All(rejected, text => Assert.False(compiled.Matches(text), text));
    }

    [Theory]
    [InlineData("(a)\\1", "references to groups")]
    [InlineData("(?<n>a)\\k<n>", "references to groups")]
    [InlineData("(?=a)b", "looking ahead")]
    [InlineData("(?!a)b", "looking ahead")]
    [InlineData("(?<=a)b", "looking behind")]
    [InlineData("(?<!a)b", "looking behind")]
    [InlineData("a\\b", "word boundaries")]
    [InlineData("\\p{L}", "properties of characters")]
    [InlineData("a(^b)", "'^' is supported only at")]
    [InlineData("a$b", "'$' is supported only at")]
    [InlineData("(a", "not closed")]
    [InlineData("a)", "not opened")]
    [InlineData("[a", "not closed")]
    [InlineData("*a", "after nothing")]
    [InlineData("a**", "after another")]
    [InlineData("a{2,1}", "less than the least")]
    [InlineData("[b-a]", "no range")]
    [InlineData("[\\d-z]", "no range")]
    [InlineData("\\q", "no escape")]
    [InlineData("\\uD83D", "no such character")]
    [InlineData("(?i)a", "no such group")]
    [InlineData("a\\", "ends too early")]
    [InlineData("[^\\s\\S]", "allows no text")]
    public void What_is_not_regular_or_not_written_well_is_refused(string pattern, string problem)
    {
        InvalidRequestException refused = Assert.Throws<InvalidRequestException>(() => Grammar.FromRegex(pattern));
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_expressions_are_read_as_dotnet_reads_them()
    {
        var random = new Random(7);
        string[] texts = [.. Enumerable.Range(0, 7).SelectMany(length => Enumerable.Range(0, 1 << length).Select(bits =>
            new string([.. Enumerable.Range(0, length).Select(at => (bits >> at & 1) == 0 ? 'a' : 'b')])))];
        for (int round = 0; round < 400; round++)
        {
            string pattern = Pattern(random, 4);
            var reference = new Regex($"\\A(?:{pattern})\\z", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));
            Grammar grammar = Grammar.FromRegex(pattern);
            foreach (string text in texts)
                Assert.True(reference.IsMatch(text) == grammar.Matches(text), $"{pattern} on '{text}'");
        }
    }

    [Theory]
    [InlineData("(a+)+$")]
    [InlineData("(a|aa)+$")]
    [InlineData("(a|a)*b")]
    [InlineData("(.*a){20}")]
    [InlineData("((a{0,30}){0,10}){0,10}")]
    [InlineData("(x+x+)+y|a*")]
    [InlineData("a{0,1000000}")]
    public void Expressions_that_explode_elsewhere_take_linear_time(string pattern)
    {
        var time = Stopwatch.StartNew();
        Grammar.FromRegex(pattern).Matches(new string('a', 5000));
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(10), $"{time.Elapsed}");
    }

    [Fact]
    public void Groups_nested_without_end_are_refused() =>
        Assert.Throws<InvalidRequestException>(() => Grammar.FromRegex(new string('(', 200_000)));

    private static string Pattern(Random random, int nesting) => random.Next(nesting == 0 ? 2 : 9) switch
    {
        0 => "a",
        1 => "b",
        2 => Pattern(random, nesting - 1) + Pattern(random, nesting - 1),
        3 => $"(?:{Pattern(random, nesting - 1)}|{Pattern(random, nesting - 1)})",
        4 => $"(?:{Pattern(random, nesting - 1)})*",
        5 => $"(?:{Pattern(random, nesting - 1)})?",
        6 => $"(?:{Pattern(random, nesting - 1)}){{{random.Next(3)},{2 + random.Next(3)}}}",
        7 => $"(?:{Pattern(random, nesting - 1)}){{{random.Next(4)},}}",
        _ => $"(?:{Pattern(random, nesting - 1)})+",
    };
}
