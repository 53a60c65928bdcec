using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers.Tests;

/// <summary>Damaged vocabularies and arbitrary texts: either a <see cref="TokenizerException"/> with one sentence, or a
/// tokenizer whose ids are ids and decode.</summary>
public sealed class MutationTests
{
    /// <summary>How many inputs; the environment can ask for more than a test run should take.</summary>
    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("PURE_MUTATIONS"), out int rounds) ? rounds : 2000;

    [Fact]
    public void Damaged_vocabularies_are_refused_or_work()
    {
        VocabularyData[] sources =
            [Vocabularies.Bytes, Vocabularies.Pieces, .. Goldens.CommittedNames.Select(name => GgufVocabulary.Read(Goldens.Committed(name, ".gguf")))];
        string[] preTokenizers = [.. PreTokenizer.Names];
        int refused = 0;
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            var data = sources[random.Next(sources.Length)];
            if (data.Model == "gpt2")
                data = data with { PreTokenizer = preTokenizers[random.Next(preTokenizers.Length)] };
            for (int count = random.Next(4); count > 0; count--)
                data = Damage(data, random);
            try
            {
                Use(Tokenizer.Create(data), random);
            }
            catch (TokenizerException refusal)
            {
                refused++;
                Assert.True(refusal.Message.EndsWith('.') && refusal.Message.Length < 1000, $"seed {seed}: {refusal.Message}");
            }
            catch (Exception crash)
            {
                Assert.Fail($"seed {seed}: {crash}");
            }
        }
        Assert.InRange(refused, Rounds / 20, Rounds - Rounds / 20);
    }

    private static void Use(Tokenizer tokenizer, Random random)
    {
        char[] text = RandomText.Next(random, 60).ToCharArray();
        for (int count = random.Next(3); count > 0 && text.Length > 0; count--)
            text[random.Next(text.Length)] = (char)random.Next(0x10000);
        int[] ids = tokenizer.Encode(text, random.Next(2) == 0, random.Next(2) == 0);
        Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
        Assert.NotNull(tokenizer.Decode(ids, random.Next(2) == 0));
        var decoder = new StreamingDecoder(tokenizer);
        for (int count = 0; count < 10; count++)
            decoder.Append(random.Next(tokenizer.VocabularySize));
    }

    private static VocabularyData Damage(VocabularyData data, Random random)
    {
        int? anyId = random.Next(4) switch
        {
            0 => null,
            1 => random.Next(int.MinValue, int.MaxValue),
            _ => random.Next(data.Tokens.Count + 2) - 1,
        };
        switch (random.Next(16))
        {
            case 0: return data with { Bos = anyId };
            case 1: return data with { Eos = anyId };
            case 2: return data with { Eot = anyId };
            case 3: return data with { Unknown = anyId, Padding = anyId };
            case 4: return data with { AddBos = random.Next(2) == 0, AddEos = random.Next(2) == 0 };
            case 5: return data with { AddSpacePrefix = random.Next(2) == 0, ModelName = "phi3" };
            case 6: return data with { Model = random.Next(3) switch { 0 => "gpt2", 1 => "llama", _ => "" } };
            case 7: return data with { PreTokenizer = random.Next(2) == 0 ? "" : "?" };
            case 8: return data with { Kinds = Mutate(data.Kinds, random, _ => random.Next(-2, 9)) };
            case 9: return data with { Scores = Mutate(data.Scores, random, _ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue))) };
            case 10 or 11: return data with { Merges = Mutate(data.Merges, random, merge => Mutate(merge ?? "a b", random)) };
            case 12: return data with { Merges = data.Merges?.OrderBy(_ => random.Next()).ToList() };
            case 13: return data with { Kinds = null, Scores = null };
            default: return data with { Tokens = Mutate(data.Tokens, random, token => Mutate(token ?? "", random))! };
        }
    }

    /// <summary>A list with some items changed, and sometimes one too few or too many.</summary>
    private static List<T>? Mutate<T>(IReadOnlyList<T>? list, Random random, Func<T?, T> change)
    {
        if (list is null)
            return null;
        List<T> mutated = [.. list];
        for (int count = random.Next(1, 6); count > 0 && mutated.Count > 0; count--)
        {
            int index = random.Next(mutated.Count);
            mutated[index] = change(mutated[index]);
        }
        if (random.Next(8) == 0)
            mutated.Add(change(default));
        else if (random.Next(8) == 0 && mutated.Count > 0)
            mutated.RemoveAt(random.Next(mutated.Count));
        return mutated;
    }

    private static string Mutate(string text, Random random)
    {
        string piece = RandomText.Next(random, 3);
        int at = random.Next(text.Length + 1);
        return random.Next(4) switch
        {
            0 => text.Insert(at, piece),
            1 => text[..at],
            2 => text.Insert(at, ((char)random.Next(0x10000)).ToString()),
            _ => piece,
        };
    }
}
