using System.Text;
using System.Text.Json.Nodes;
using Pure.Engine.Generation.Grammars;

namespace Pure.Engine.Tests.Generation.Grammars;

public sealed class RandomSchemaTests
{
    [Fact]
    public void Whatever_a_random_walk_through_a_grammar_writes_validates()
    {
        const int Schemas = 1000;
        const int Walks = 4;
        var random = new Random(11);
        int finished = 0;
        for (int seed = 0; seed < Schemas; seed++)
        {
            JsonObject schema = new RandomSchema(seed, hasFurtherMembers: true).Next();
            Grammar grammar = Grammar.FromJsonSchema(schema.ToJsonString());
            var validator = new SchemaValidator(schema);
            for (int walk = 0; walk < Walks; walk++)
            {
                if (Walk(grammar, random) is { } text)
                {
                    validator.Require(text);
                    Assert.True(grammar.Matches(text));
                    finished++;
                }
            }
        }

        Assert.InRange(finished, Schemas * Walks * 95 / 100, Schemas * Walks);
    }

    /// <summary>Bytes at random, of those allowed, until the text may end; null where it became too long.</summary>
    private static string? Walk(Grammar grammar, Random random)
    {
        const int Longest = 4000;
        var text = new List<byte>();
        GrammarState state = grammar.States.Start;
        while (text.Count < Longest)
        {
            if (state.MayEnd && random.Next(2) == 0)
                return Encoding.UTF8.GetString([.. text]);
            (byte Value, GrammarState Next)[] ways = [.. Enumerable.Range(0, 256)
                .Select(value => ((byte)value, grammar.Advance(state, [(byte)value])))
                .Where(way => !ReferenceEquals(way.Item2, GrammarState.Dead))];
            if (ways.Length == 0)
            {
                Assert.True(state.MayEnd);
                return Encoding.UTF8.GetString([.. text]);
            }

            // What closes something is chosen often, so that texts end.
            (byte Value, GrammarState Next)[] closing = [.. ways.Where(way => way.Value is (byte)'"' or (byte)']' or (byte)'}')];
            (byte value, state) = closing.Length > 0 && random.Next(3) == 0 ? closing[random.Next(closing.Length)] : ways[random.Next(ways.Length)];
            text.Add(value);
        }

        return null;
    }
}
