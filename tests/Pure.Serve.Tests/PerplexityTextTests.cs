namespace Pure.Serve.Tests;

public class PerplexityTextTests
{
    [Theory]
    [InlineData("a\nb\n<|endoftext|>\nc\n<|endoftext|>\n", new[] { "a\nb", "c" })]
    [InlineData("a\n<|endoftext|>\nb", new[] { "a", "b" })]
    [InlineData("a\n\n<|endoftext|>\n\n b \n", new[] { "a\n", "\n b " })]
    [InlineData("<|endoftext|>\n\n<|endoftext|>\na\n<|endoftext|>", new[] { "a" })]
    [InlineData("x<|endoftext|>\n<|endoftext|> \n<|endoftext|>\r\n", new[] { "x<|endoftext|>\n<|endoftext|> \n<|endoftext|>\r" })]
    [InlineData("", new string[0])]
    public void Lines_that_hold_exactly_the_marker_part_the_texts(string file, string[] texts) =>
        Assert.Equal(texts, PerplexityText.Parts(file));
}
