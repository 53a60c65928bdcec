using Pure.Tokenizers.Pipeline;

namespace Pure.Tokenizers.Tests;

/// <summary>The patterns written by hand against the expressions that they stand for, run by .NET.</summary>
public sealed class KnownPatternTests
{
    public static readonly TheoryData<string> Expressions = [.. KnownPatterns.Expressions.Where(IsDotNet)];

    /// <summary>.NET has no classes within classes, no ranges outside the Basic Multilingual Plane, and words of other
    /// characters.</summary>
    private static bool IsDotNet(string expression) => !expression.Contains(@"\b", StringComparison.Ordinal)
        && !expression.Contains("|[.", StringComparison.Ordinal) && !expression.Any(char.IsSurrogate);

    [Theory]
    [MemberData(nameof(Expressions))]
    public void A_pattern_finds_what_its_expression_finds(string expression)
    {
        var byHand = new PatternMatcher(KnownPatterns.Find(expression)!);
        var byEngine = new ExpressionMatcher(expression);
        for (int seed = 0; seed < 2000; seed++)
        {
            // .NET's $ also stands before the last line break of a text; Oniguruma's, and ours, only at the end.
            string text = RandomText.Next(new Random(seed)) + "x";
            var expected = new List<(int, int)>();
            var found = new List<(int, int)>();
            byEngine.Find(text, 0, text.Length, expected);
            byHand.Find(text, 0, text.Length, found);
            // Characters outside the Basic Multilingual Plane are shown to .NET as others, which ranges may hold.
            if (!expected.SequenceEqual(found) && !text.Any(char.IsSurrogate))
                Assert.Fail($"seed {seed}: {Show(text, expected)} expected, {Show(text, found)} found");
        }

        static string Show(string text, List<(int Start, int End)> matches) =>
            string.Join('|', matches.Select(match => text[match.Start..match.End]));
    }
}
