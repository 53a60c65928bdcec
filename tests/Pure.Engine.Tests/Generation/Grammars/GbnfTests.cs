using Pure.Engine.Generation.Grammars;

namespace Pure.Engine.Tests.Generation.Grammars;

public sealed class GbnfTests
{
    [Theory]
    [InlineData("root ::= \"yes\" | \"no\"", new[] { "yes", "no" }, new[] { "", "ye", "yesno", "Yes" })]
    [InlineData("root ::= [a-c]+ [^a-c\\n]?", new[] { "a", "abcd", "cz", "aé" }, new[] { "", "d", "a\n", "add" })]
    [InlineData("root ::= item{2,3}\nitem ::= \"- \" [^\\n]* \"\\n\"", new[] { "- a\n- \n", "- a\n- b\n- c\n" }, new[] { "- a\n", "- a\n- b\n- c\n- d\n" })]
    [InlineData("root ::= \"a\"{2} \"b\"{1,} \"c\"{0,2}", new[] { "aab", "aabbbcc" }, new[] { "ab", "aa", "aabccc" })]
    [InlineData("root ::= ( # a comment\n  \"x\"\n  | \"y\" # another\n)* \"z\"", new[] { "z", "xyxz" }, new[] { "x", "zz" })]
    [InlineData("root ::= \"a\" |\n  \"b\"\r\n\r\n# the end", new[] { "a", "b" }, new[] { "ab" })]
    [InlineData("root ::= \"\\x41\\u00e9\\U0001F600\\\"\\\\\\n\\t\"", new[] { "Aé😀\"\\\n\t" }, new[] { "Aé" })]
    [InlineData("root ::= [ぁ-ゟ]+ [😀-😂] .", new[] { "ひら😁x", "ん😂\n" }, new[] { "ひ", "ア😁x", "ひ😃x" })]
    [InlineData("root ::= \"(\" root \")\" | \"\"", new[] { "", "()", "((()))" }, new[] { "(", ")(", "(()" })]
    [InlineData("root ::= expr\nexpr ::= term (\"+\" term)*\nterm ::= [0-9] | \"(\" expr \")\"", new[] { "1", "1+2", "(1+(2+3))+4" }, new[] { "", "1+", "(1", "1)" })]
    [InlineData("root ::= a b a?\na ::= \"x\"?\nb ::= a \"y\" | a", new[] { "", "x", "xx", "xxyx", "y", "xxx" }, new[] { "yy", "xxxx", "xxxyx" })]
    [InlineData("root ::= (\"a\"?){3}", new[] { "", "a", "aaa" }, new[] { "aaaa" })]
    [InlineData("root ::= ((\"a\"*)*)+ \"b\"", new[] { "b", "aab" }, new[] { "a", "ba" })]
    public void A_grammar_allows_its_texts_and_no_others(string grammar, string[] accepted, string[] rejected)
    {
        Grammar compiled = Grammar.FromGbnf(grammar);
        Assert.All(accepted, text => Assert.True(compiled.Matches(text), text));
        Assert.All(rejected, text => Assert.False(compiled.Matches(text), text));
    }

    [Theory]
    [InlineData("start ::= \"a\"", "no rule 'root'")]
    [InlineData("root ::= missing", "'missing', which it does not define")]
    [InlineData("root ::= root \"a\" | \"b\"", "'root' can begin with itself")]
    [InlineData("root ::= a\na ::= b? c\nb ::= \"x\"\nc ::= a \"y\" | \"z\"", "can begin with itself")]
    [InlineData("root ::= \"a\" root", "allows no text at all")]
    [InlineData("root ::= []", "allows no text at all")]
    [InlineData("root ::= \"a", "it ends too early")]
    [InlineData("root ::= (\"a\"", "')' is expected")]
    [InlineData("root ::= \"a\")", "a new line or '|' is expected")]
    [InlineData("root ::= \"a\"\nroot ::= \"b\"", "line 2, column 1: the rule 'root' is defined for the second time")]
    [InlineData("root ::= \"a\"{3,2}", "the most, 2, is less than the least, 3")]
    [InlineData("root ::= \"a\"{9999999999}", "too many")]
    [InlineData("root ::= [z-a]", "ends before it begins")]
    [InlineData("root ::= \"\\q\"", "no such escape")]
    [InlineData("root ::= \"\\uD800\"", "no such character")]
    [InlineData("root ::= <think>", "tokens of a vocabulary are not supported")]
    [InlineData("root : \"a\"", "'::=' is expected")]
    public void What_is_no_grammar_is_refused(string grammar, string problem)
    {
        InvalidRequestException refused = Assert.Throws<InvalidRequestException>(() => Grammar.FromGbnf(grammar));
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_parentheses_and_long_grammars_are_refused_not_followed()
    {
        Assert.Throws<InvalidRequestException>(() => Grammar.FromGbnf($"root ::= {new string('(', 100_000)}"));
        Assert.Throws<InvalidRequestException>(() => Grammar.FromGbnf($"root ::= \"{new string('a', 2_000_000)}\""));
        Assert.Throws<InvalidRequestException>(() => Grammar.FromGbnf(
            string.Join('\n', Enumerable.Range(0, 30_000).Select(rule => $"r{rule} ::= \"a\"")) + "\nroot ::= r1"));
        string chain = string.Join('\n', Enumerable.Range(0, 10_000).Select(rule => $"r{rule} ::= r{rule + 1}?"));
        Assert.True(Grammar.FromGbnf($"{chain}\nr10000 ::= \"a\"\nroot ::= r0*").Matches("aaa"));
    }

    [Fact]
    public void Nesting_ends_where_the_stack_does_and_the_text_can_still_be_finished()
    {
        Grammar grammar = Grammar.FromGbnf("root ::= \"(\" root \")\" | \"x\"");
        Assert.True(grammar.Matches(new string('(', 256) + "x" + new string(')', 256)));
        Assert.False(grammar.Matches(new string('(', 257) + "x" + new string(')', 257)));
        Assert.True(Grammar.FromGbnf("root ::= \"a\" root | \"b\"").Matches(new string('a', 100_000) + "b"));
    }

    [Fact]
    public void Too_many_ways_to_the_same_text_are_refused()
    {
        string rules = string.Join('\n', Enumerable.Range(0, 40).Select(rule => $"r{rule} ::= r{rule + 1} \"x\" | r{rule + 1} \"y\""));
        Grammar grammar = Grammar.FromGbnf($"root ::= r0\n{rules}\nr40 ::= \"a\"");
        InvalidRequestException refused = Assert.Throws<InvalidRequestException>(() => grammar.Matches("a"));
        Assert.Contains("too ambiguous", refused.Message, StringComparison.Ordinal);
    }
}
