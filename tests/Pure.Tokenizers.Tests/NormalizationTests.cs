using System.Text;
using Pure.Tokenizers.Unicode;

namespace Pure.Tokenizers.Tests;

/// <summary>Unicode's normalization forms, against examples of UAX #15 and its own laws.</summary>
public sealed class NormalizationTests
{
    [Theory]
    [InlineData("\u212B", "\u00C5", "A\u030A", "\u00C5", "A\u030A")]
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323", "\u017F\u0323\u0307", "\u1E69", "s\u0323\u0307")]
    [InlineData("\uFB01", "\uFB01", "\uFB01", "fi", "fi")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307", "q\u0323\u0307", "q\u0323\u0307", "q\u0323\u0307")]
    [InlineData("d\u0307\u0323", "\u1E0D\u0307", "d\u0323\u0307", "\u1E0D\u0307", "d\u0323\u0307")]
    [InlineData("\uD4DB", "\uD4DB", "\u1111\u1171\u11B6", "\uD4DB", "\u1111\u1171\u11B6")]
    [InlineData("\u0958", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165", "\U0001D157\U0001D165", "\U0001D157\U0001D165", "\U0001D157\U0001D165")]
    [InlineData("e\u0301 Ⅻ\u00A0½", "é Ⅻ\u00A0½", "e\u0301 Ⅻ\u00A0½", "é XII 1\u20442", "e\u0301 XII 1\u20442")]
    public void Examples_have_their_forms(string text, string c, string d, string kc, string kd)
    {
        Assert.Equal(c, Normalization.Apply(text, NormalizationForm.FormC));
        Assert.Equal(d, Normalization.Apply(text, NormalizationForm.FormD));
        Assert.Equal(kc, Normalization.Apply(text, NormalizationForm.FormKC));
        Assert.Equal(kd, Normalization.Apply(text, NormalizationForm.FormKD));
    }

    [Fact]
    public void Forms_are_stable_and_agree_with_each_other()
    {
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var text = new StringBuilder();
            for (int count = random.Next(12); count > 0; count--)
            {
                int codePoint = random.Next(4) switch
                {
                    0 => random.Next(0x300, 0x370),
                    1 => random.Next(0xA0, 0x250),
                    2 => random.Next(0x1100, 0x1200),
                    _ => random.Next(0x110000),
                };
                text.Append(Rune.IsValid(codePoint) ? new Rune(codePoint) : new Rune('a'));
            }
            string given = text.ToString();
            string c = Normalization.Apply(given, NormalizationForm.FormC);
            string d = Normalization.Apply(given, NormalizationForm.FormD);
            Assert.Equal(c, Normalization.Apply(c, NormalizationForm.FormC));
            Assert.Equal(c, Normalization.Apply(d, NormalizationForm.FormC));
            Assert.Equal(d, Normalization.Apply(c, NormalizationForm.FormD));
            Assert.Equal(
                Normalization.Apply(given, NormalizationForm.FormKC),
                Normalization.Apply(Normalization.Apply(given, NormalizationForm.FormKD), NormalizationForm.FormC));
        }
    }
}
