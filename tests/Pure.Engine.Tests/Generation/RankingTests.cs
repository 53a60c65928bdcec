using Pure.Engine.Generation;

namespace Pure.Engine.Tests.Generation;

public sealed class RankingTests
{
    [Fact]
    public void The_largest_come_in_order_at_every_length_and_count()
    {
        var random = new Random(3);
        for (int length = 1; length <= 120; length++)
        {
            float[] logits = [.. Enumerable.Range(0, length).Select(_ => (float)random.Next(-9, 9))];
            int[] sorted = [.. Enumerable.Range(0, length).OrderByDescending(id => logits[id]).ThenBy(id => id)];
            var ranking = new Ranking(length);
            for (int count = 0; count <= length; count++)
                Assert.Equal(sorted[..count], ranking.Largest(logits, count).ToArray());

            Span<int> heap = ranking.Heap(logits);
            foreach (int id in sorted)
                Assert.Equal(id, Ranking.Pop(ref heap, logits));
            Assert.Equal(logits.Max(), Ranking.Maximum(logits));
            Assert.Equal(sorted[0], Ranking.First(logits, Ranking.Maximum(logits)));
        }
    }
}
