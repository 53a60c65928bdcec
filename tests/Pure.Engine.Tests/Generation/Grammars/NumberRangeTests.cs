using System.Globalization;
using Pure.Engine.Generation.Grammars;

namespace Pure.Engine.Tests.Generation.Grammars;

public sealed class NumberRangeTests
{
    [Fact]
    public void Integers_are_those_between_the_bounds()
    {
        var random = new Random(3);
        for (int round = 0; round < 300; round++)
        {
            int reach = (int)Math.Pow(10, 1 + random.Next(4));
            int one = random.Next(-reach, reach);
            int other = random.Next(-reach, reach);
            (int least, int most) = (Math.Min(one, other), Math.Max(one, other));
            Grammar grammar = Grammar.FromJsonSchema($$"""{"type":"integer","minimum":{{least}},"exclusiveMaximum":{{most + 1}}}""");
            foreach (int number in (int[])[least - 1, least, least + 1, most - 1, most, most + 1, 0, -1, 1, .. Enumerable.Range(0, 30).Select(_ => random.Next(-2 * reach, 2 * reach))])
                Assert.True((number >= least && number <= most) == grammar.Matches($"{number}"), $"{number} in {least} to {most}");
        }
    }

    [Fact]
    public void Numbers_are_those_between_the_bounds()
    {
        var random = new Random(4);
        for (int round = 0; round < 500; round++)
        {
            decimal one = Draw(random);
            decimal other = random.Next(4) == 0 ? one : Draw(random);
            (decimal least, decimal most) = (Math.Min(one, other), Math.Max(one, other));
            string low = random.Next(2) == 0 ? "minimum" : "exclusiveMinimum";
            string high = random.Next(2) == 0 ? "maximum" : "exclusiveMaximum";
            if (least == most && (low[0] == 'e' || high[0] == 'e'))
                continue;
            string schema = string.Create(CultureInfo.InvariantCulture, $$"""{"type":"number","{{low}}":{{least}},"{{high}}":{{most}}}""");
            Grammar grammar = Grammar.FromJsonSchema(schema);
            foreach (decimal number in (decimal[])[least, most, least + 0.001m, least - 0.001m, most + 0.001m, most - 0.001m, (least + most) / 2, 0, .. Enumerable.Range(0, 20).Select(_ => Draw(random))])
            {
                string text = number.ToString("0.######", CultureInfo.InvariantCulture);
                decimal value = decimal.Parse(text, CultureInfo.InvariantCulture);
                bool isIn = (low[0] == 'e' ? value > least : value >= least) && (high[0] == 'e' ? value < most : value <= most);
                Assert.True(isIn == grammar.Matches(text), $"{text} and {schema}");
                if (text.Contains('.', StringComparison.Ordinal) && text.Length < 7)
                    Assert.True(isIn == grammar.Matches(text + "00"), $"{text}00 and {schema}");
            }
        }
    }

    [Theory]
    [InlineData("""{"type":"integer","multipleOf":7}""", new[] { "0", "7", "-49", "700000000007" }, new[] { "1", "-8", "07" })]
    [InlineData("""{"type":"integer","multipleOf":5,"minimum":0}""", new[] { "0", "5", "100" }, new[] { "-5", "3" })]
    [InlineData("""{"type":"number","multipleOf":3,"minimum":-4.5,"maximum":6}""", new[] { "-3", "0", "3", "6" }, new[] { "-6", "9", "1.5" })]
    [InlineData("""{"type":"integer","allOf":[{"multipleOf":4},{"multipleOf":6}],"minimum":1,"maximum":30}""", new[] { "12", "24" }, new[] { "0", "4", "6", "36" })]
    [InlineData("""{"type":"integer","minimum":1e3}""", new[] { "1000", "999999999999999" }, new[] { "999", "-1000" })]
    [InlineData("""{"type":"integer","maximum":-0.5}""", new[] { "-1", "-100" }, new[] { "0", "1", "-0" })]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", new[] { "0.1", "0.0000000001", "5", "123456789012345" }, new[] { "0", "0.0", "-1", "-0" })]
    public void Bounds_and_multiples_hold(string schema, string[] accepted, string[] rejected)
    {
        Grammar grammar = Grammar.FromJsonSchema(schema);
        Assert.All(accepted, text => Assert.True(grammar.Matches(text), text));
        Assert.All(rejected, text => Assert.False(grammar.Matches(text), text));
    }

    private static decimal Draw(Random random)
    {
        int digits = random.Next(4);
        return (decimal)random.Next(-20_000, 20_000) / (decimal)Math.Pow(10, digits);
    }
}
