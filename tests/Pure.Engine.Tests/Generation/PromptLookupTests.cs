using Pure.Engine.Generation;

namespace Pure.Engine.Tests.Generation;

public sealed class PromptLookupTests
{
    [Fact]
    public void The_longest_run_of_last_tokens_is_followed_at_its_latest_earlier_place()
    {
        Proposes([], [1, 2, 3, 4]);
        Proposes([], [7]);
        Proposes([], []);
        Proposes([9, 1, 2], [1, 2, 9, 1, 2]);
        Proposes([8, 1, 2], [1, 2, 9, 1, 2, 8, 1, 2]); // the later of two places
        Proposes([5, 6, 3], [4, 1, 2, 5, 6, 3, 1, 2, 9, 4, 1, 2]); // a longer run goes before a later one
        Proposes([6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8, 0, 2, 3, 4, 5]);
    }

    [Fact]
    public void A_place_near_the_end_is_continued_with_its_period()
    {
        Proposes([7, 7, 7], [7, 7, 7]);
        Proposes([1, 2, 1], [1, 2, 1, 2]);
        Proposes([3, 1, 2], [1, 2, 3, 1, 2]);
    }

    [Fact]
    public void It_finds_what_a_search_of_the_whole_text_finds()
    {
        var random = new Random(4);
        for (int text = 0; text < 50; text++)
        {
            int[] tokens = [.. Enumerable.Range(0, 200).Select(_ => random.Next(2 + (text % 9)) * 30_000)];
            var lookup = new PromptLookup(tokens.Length * 64); // so roomy that runs hardly ever displace one another
            int found = 0, missed = 0;
            for (int length = 0; length <= tokens.Length; length += random.Next(1, 4))
            {
                int[] draft = new int[6];
                int count = lookup.Propose(tokens.AsSpan(0, length), draft);
                int[] expected = Search(tokens.AsSpan(0, length).ToArray(), draft.Length);
                Assert.True(count == 0 || count == draft.Length);
                found += expected.Length > 0 ? 1 : 0;
                missed += draft.AsSpan(0, count).SequenceEqual(expected) ? 0 : 1;
            }

            Assert.True(missed <= found / 20, $"text {text}: {missed} of {found} missed");
        }
    }

    [Fact]
    public void Tokens_that_displace_one_another_never_give_a_guess_without_a_place()
    {
        var random = new Random(5);
        int[] tokens = [.. Enumerable.Range(0, 3000).Select(_ => random.Next(40))];
        var lookup = new PromptLookup(8);
        for (int length = 0; length <= tokens.Length; length++)
        {
            int[] draft = new int[1];
            if (lookup.Propose(tokens.AsSpan(0, length), draft) == 0)
                continue;
            int[] guessed = [tokens[length - 2], tokens[length - 1], draft[0]];
            Assert.True(tokens.AsSpan(0, length).IndexOf(guessed) >= 0);
        }
    }

    private static void Proposes(int[] expected, int[] tokens)
    {
        int[] draft = new int[3];
        int count = new PromptLookup(64).Propose(tokens, draft);
        Assert.Equal(expected, draft[..count]);
    }

    private static int[] Search(int[] tokens, int most)
    {
        for (int run = Math.Min(4, tokens.Length - 1); run >= 2; run--)
        {
            for (int end = tokens.Length - 1; end >= run; end--)
            {
                if (!tokens.AsSpan(end - run, run).SequenceEqual(tokens.AsSpan(tokens.Length - run)))
                    continue;
                var text = tokens.ToList();
                for (int index = 0; index < most; index++)
                    text.Add(text[end + index]);
                return [.. text[tokens.Length..]];
            }
        }

        return [];
    }
}
