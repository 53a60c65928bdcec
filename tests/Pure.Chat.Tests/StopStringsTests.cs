using Pure.Engine;

namespace Pure.Chat.Tests;

public sealed class StopStringsTests
{
    [Theory]
    [InlineData("one END two", "one ", "END")]
    [InlineData("one EN two", "one EN two", "END")]
    [InlineData("EEND", "E", "END")]
    [InlineData("ENDEND", "", "END")]
    [InlineData("aab", "", "aab", "b")]
    [InlineData("xaabc", "xa", "aabc!", "ab")]
    [InlineData("abcde", "ab", "abcde", "c")]
    [InlineData("abab", "a", "ba", "abb")]
    [InlineData("text", "text")]
    public void The_text_ends_where_the_first_stop_string_is_complete(string text, string expected, params string[] stops)
    {
        foreach (int size in Enumerable.Range(1, text.Length))
            Assert.Equal(expected, Run(text, stops, _ => size));
    }

    [Fact]
    public void What_comes_out_does_not_depend_on_the_pieces()
    {
        var random = new Random(5);
        int found = 0;
        for (int round = 0; round < 5000; round++)
        {
            string text = RandomText(random, random.Next(0, 40));
            string[] stops = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => RandomText(random, random.Next(1, 6)))];
            string expected = Expected(text, stops);
            found += expected.Length < text.Length ? 1 : 0;
            for (int cut = 0; cut < 4; cut++)
                Assert.Equal(expected, Run(text, stops, _ => random.Next(1, 6)));
        }

        Assert.InRange(found, 1000, 4900);
    }

    [Fact]
    public void Text_that_cannot_begin_a_stop_string_comes_at_once()
    {
        var stops = new StopStrings(["\n\nUser:", "###"]);
        Assert.Equal("Hello", stops.Append("Hello"));
        Assert.Equal("", stops.Append("\n"));
        Assert.Equal("", stops.Append("\nUse"));
        Assert.Equal("\n\nUse it", stops.Append(" it"));
        Assert.Equal(" ", stops.Append(" "));
        Assert.Equal("", stops.Append("##"));
        Assert.Equal("", stops.Append("#"));
        Assert.Equal("###", stops.Found);
        Assert.Equal("", stops.Append("more"));
        Assert.Equal("", stops.Flush());
    }

    [Fact]
    public void An_empty_stop_string_is_refused() =>
        Assert.Throws<InvalidRequestException>(() => new StopStrings(["a", ""]));

    /// <summary>Letter by letter: the text ends as soon as it ends with a stop string, the longest of those.</summary>
    private static string Expected(string text, string[] stops)
    {
        for (int length = 1; length <= text.Length; length++)
        {
            string head = text[..length];
            string? longest = stops.Where(stop => head.EndsWith(stop, StringComparison.Ordinal)).MaxBy(stop => stop.Length);
            if (longest is not null)
                return head[..^longest.Length];
        }

        return text;
    }

    private static string Run(string text, string[] stops, Func<int, int> size)
    {
        var matcher = new StopStrings(stops);
        string output = "";
        for (int begin = 0, length; begin < text.Length; begin += length)
        {
            length = Math.Min(size(begin), text.Length - begin);
            output += matcher.Append(text.Substring(begin, length));
        }

        return output + matcher.Flush();
    }

    private static string RandomText(Random random, int length) =>
        string.Concat(Enumerable.Range(0, length).Select(_ => "abc"[random.Next(3)]));
}
