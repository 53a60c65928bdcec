using System.Text;
using Pure.Engine.Generation;
using Pure.Engine.Generation.Grammars;

namespace Pure.Engine.Tests.Generation.Grammars;

public sealed class TokenGrammarTests
{
    public static TheoryData<string, Grammar> Grammars => new()
    {
        { "any JSON", Grammar.JsonValue },
        { "pattern", Grammar.FromRegex("(ab|a+b?)*c{3,5}") },
        { "nested", Grammar.FromGbnf("root ::= \"(\" root \")\" root | \"a\"{0,3}") },
        { "schema", Grammar.FromJsonSchema("""{"properties":{"a":{"maxLength":5,"minLength":2},"b":{"minimum":-3,"maximum":41.5}},"additionalProperties":{"format":"date"}}""") },
        { "unicode", Grammar.FromRegex("[é-ю]*[\\u{1F600}-\\u{1F64F}]?") },
    };

    [Theory]
    [MemberData(nameof(Grammars), DisableDiscoveryEnumeration = true)]
    public void A_mask_has_the_tokens_that_can_be_read_and_no_state_is_a_dead_end(string name, Grammar grammar)
    {
        Assert.NotNull(name);
        var random = new Random(5);
        byte[]?[] vocabulary = Vocabulary(random);
        var tokens = new TokenGrammar(grammar, new TokenBytes(vocabulary));
        for (int text = 0; text < 30; text++)
        {
            GrammarState state = tokens.Start;
            for (int step = 0; step < 40; step++)
            {
                ulong[] mask = tokens.Mask(state).ToArray();
                int[] allowed = [.. Enumerable.Range(0, vocabulary.Length).Where(id => (mask[id >> 6] >> id & 1) != 0)];
                int[] readable = [.. Enumerable.Range(0, vocabulary.Length).Where(id =>
                    vocabulary[id] is { Length: > 0 } bytes && !ReferenceEquals(grammar.Advance(state, bytes), GrammarState.Dead))];
                Assert.Equal(readable, allowed);
                Assert.True(allowed.Length > 0 || state.MayEnd);
                if (allowed.Length == 0)
                    break;
                state = tokens.Advance(state, allowed[random.Next(allowed.Length)]);
            }
        }
    }

    [Fact]
    public void Equal_states_are_one_object()
    {
        Grammar grammar = Grammar.JsonValue;
        GrammarState start = grammar.States.Start;
        Assert.Same(grammar.Advance(start, "[1,[2,"u8), grammar.Advance(start, "[\"a\", [{\"b\":null},"u8));
        Assert.NotSame(grammar.Advance(start, "[1,[2,"u8), grammar.Advance(start, "[1,"u8));
    }

    [Fact]
    public async Task Many_threads_find_the_same_masks()
    {
        byte[]?[] vocabulary = Vocabulary(new Random(6));
        Grammar shared = Grammar.FromJsonSchema("""{"items":{"maxLength":20}}""");
        var tokens = new TokenGrammar(shared, new TokenBytes(vocabulary));
        ulong[][][] found = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            GrammarState state = tokens.Start;
            var masks = new List<ulong[]>();
            foreach (byte value in "[\"abcdefghijk\",\"lmnopqrst\"]"u8)
            {
                masks.Add(tokens.Mask(state).ToArray());
                state = shared.Advance(state, [value]);
            }

            return masks.ToArray();
        })));
        Assert.All(found, masks => Assert.Equal(found[0], masks));
    }

    [Fact]
    public void Banned_tokens_are_never_chosen_and_the_others_as_if_nothing_were()
    {
        var random = new Random(8);
        float[] logits = [.. Enumerable.Range(0, 150).Select(_ => (float)(random.NextDouble() * 10))];
        ulong[] allowed = [0x0F0F_0000_1234_0001, 0, 0x3FFF];
        Dictionary<int, float> bans = Enumerable.Range(0, 150).Where(id => (allowed[id >> 6] >> id & 1) == 0).ToDictionary(id => id, _ => float.NegativeInfinity);
        foreach (SamplingOptions options in (SamplingOptions[])[new(), new() { Temperature = 2, TopK = 0, TopP = 1, MinP = 0 }, SamplingOptions.Greedy])
        {
            var masked = new Sampler(options, 150);
            var biased = new Sampler(options with { LogitBias = bans }, 150);
            for (int step = 0; step < 200; step++)
                Assert.Equal(biased.Sample(logits, [], step), masked.Sample(logits, [], step, allowed));
        }

        var wanted = new Sampler(new SamplingOptions { LogitBias = new Dictionary<int, float> { [1] = float.PositiveInfinity } }, 150);
        Assert.NotEqual(1, wanted.Sample(logits, [], 0, allowed));
    }

    private static byte[]?[] Vocabulary(Random random)
    {
        string[] words = ["true", "null", "\":", "\", \"", "[[", "]]", "{\"", "aab", "ccc", "((", ")a", "2024-0", "12", ".5", "éü", "😀", " ", "\"a", "\"b\":", "}", "},{"];
        return
        [
            null,
            [],
            .. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }),
            .. words.Select(Encoding.UTF8.GetBytes),
            .. Enumerable.Range(0, 200).Select(_ => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1 + random.Next(3)).Select(_ => words[random.Next(words.Length)])))),
            .. Enumerable.Range(0, 50).Select(_ => Enumerable.Range(0, 1 + random.Next(3)).Select(_ => (byte)random.Next(256)).ToArray()),
        ];
    }
}
