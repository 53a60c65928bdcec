namespace Pure.Tokenizers.Tests;

/// <summary>The fast ways against the definitions, on small alphabets where everything collides.</summary>
public sealed class DefinitionTests
{
    private const int Rounds = 3000;

    [Fact]
    public void Merging_with_a_heap_is_merging_the_best_pair_each_time()
    {
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            List<string> tokens = [.. Vocabularies.Bytes.Tokens.Take(256), "<|bos|>"];
            var merges = new List<string>();
            for (int count = random.Next(1, 12); count > 0; count--)
            {
                // Joins of tokens and of single letters; not all become tokens, and not all parts are tokens.
                string left = random.Next(2) == 0 ? Letters(random, 1, 1) : merges.Count > 0 ? Part() : "a";
                string right = random.Next(2) == 0 ? Letters(random, 1, 1) : merges.Count > 0 ? Part() : "b";
                merges.Add($"{left} {right}");
                if (random.Next(5) > 0 && !tokens.Contains(left + right))
                    tokens.Add(left + right);
            }
            var data = new VocabularyData { Model = "gpt2", PreTokenizer = "gpt-2", Tokens = tokens, Merges = merges };
            string text = Letters(random, 0, 30);

            List<string> parts = [.. text.Select(c => c.ToString())];
            while (true)
            {
                var best = Enumerable.Range(0, Math.Max(parts.Count - 1, 0))
                    .Select(at => (Rank: merges.IndexOf($"{parts[at]} {parts[at + 1]}"), At: at))
                    .Where(pair => pair.Rank >= 0).DefaultIfEmpty((Rank: -1, At: -1)).Min();
                if (best.At < 0)
                    break;
                parts[best.At] += parts[best.At + 1];
                parts.RemoveAt(best.At + 1);
            }
            int[] expected = [.. parts.SelectMany(part => tokens.IndexOf(part) is >= 0 and int id ? [id] : part.Select(c => tokens.IndexOf(c.ToString())))];
            Assert.Equal(expected, Tokenizer.Create(data).Encode(text));

            string Part() => merges[random.Next(merges.Count)].Replace(" ", "");
        }
    }

    [Fact]
    public void Sentence_pieces_join_the_best_pair_each_time()
    {
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            List<string> tokens = ["<unk>", "<s>", "</s>", "a", "b", "c", "▁"];
            for (int count = random.Next(1, 14); count > 0; count--)
            {
                string token = Letters(random, 2, 5).Replace(random.Next(2) == 0 ? 'c' : 'x', '▁');
                if (!tokens.Contains(token))
                    tokens.Add(token);
            }
            float[] scores = [.. tokens.Select(_ => random.Next(-3, 3) / 2f)];
            var data = new VocabularyData { Model = "llama", Tokens = tokens, Scores = scores };
            string text = Letters(random, 1, 30).Replace('c', ' ');

            List<string> parts = [.. ("▁" + text.Replace(' ', '▁')).Select(c => c.ToString())];
            while (true)
            {
                var best = Enumerable.Range(0, parts.Count - 1)
                    .Select(at => (Id: tokens.IndexOf(parts[at] + parts[at + 1]), At: at))
                    .Where(pair => pair.Id >= 0).Select(pair => (Cost: -scores[pair.Id], pair.At)).DefaultIfEmpty((Cost: 0, At: -1)).Min();
                if (best.At < 0)
                    break;
                parts[best.At] += parts[best.At + 1];
                parts.RemoveAt(best.At + 1);
            }
            Assert.Equal([1, .. parts.Select(part => tokens.IndexOf(part))], Tokenizer.Create(data).Encode(text));
        }
    }

    [Fact]
    public void Special_tokens_are_cut_out_one_after_the_other()
    {
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            string[] specials = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => Letters(random, 2, 5)).Distinct()];
            var data = Vocabularies.Bytes with
            {
                Tokens = [.. Vocabularies.Bytes.Tokens.Take(256), .. specials],
                Kinds = [.. Enumerable.Repeat(1, 256), .. Enumerable.Repeat(4, specials.Length)],
                Merges = [],
                Bos = null,
                Eos = null,
                AddBos = null,
            };
            string text = Letters(random, 0, 40);

            List<object> fragments = [text];
            foreach (string special in specials.OrderByDescending(special => special.Length))
            {
                int id = 256 + Array.IndexOf(specials, special);
                fragments = [.. fragments.SelectMany(fragment => fragment is string piece ? Divide(piece, special, id) : [fragment])];
            }
            int[] expected = [.. fragments.SelectMany(fragment => fragment is string piece ? piece.Select(c => (int)c) : [(int)fragment])];
            Assert.Equal(expected, Tokenizer.Create(data).Encode(text));
        }

        static IEnumerable<object> Divide(string text, string special, int id) =>
            text.Split(special).SelectMany((piece, i) => i == 0 ? (object[])[piece] : [id, piece]);
    }

    private static string Letters(Random random, int least, int most) =>
        new([.. Enumerable.Range(0, random.Next(least, most + 1)).Select(_ => "abc"[random.Next(3)])]);
}
