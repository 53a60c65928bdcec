namespace Pure.Gpu.Tests;

public sealed class ExpertSlotsTests
{
    [Fact]
    public void Experts_come_and_go_as_in_a_list_ordered_by_use()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            int count = random.Next(1, 9);
            int layers = random.Next(1, 4);
            int experts = random.Next(1, 9);
            var slots = new ExpertSlots(count, layers, experts);
            var model = new List<(int Layer, int Expert)>();
            var taken = new HashSet<(int Layer, int Expert)>();
            var contents = new (int Layer, int Expert)?[count];
            (long hits, long misses) = (0, 0);
            for (int step = 0; step < 200; step++)
            {
                if (random.Next(3) == 0)
                {
                    slots.BeginPass();
                    taken.Clear();
                }

                (int Layer, int Expert) key = (random.Next(layers), random.Next(experts));
                bool isHeld = model.Contains(key);
                int leaves = isHeld || model.Count < count ? -1 : model.FindIndex(held => !taken.Contains(held));
                bool hasRoom = isHeld || model.Count < count || leaves >= 0;

                int slot = slots.Take(key.Layer, key.Expert, out bool isNew);

                Assert.Equal(!isHeld, isNew);
                Assert.Equal(hasRoom, slot >= 0);
                if (!hasRoom)
                    continue;
                if (isNew)
                {
                    Assert.Equal(leaves < 0 ? null : model[leaves], contents[slot]);
                    contents[slot] = key;
                    if (leaves >= 0)
                        model.RemoveAt(leaves);
                    misses++;
                }
                else
                {
                    model.Remove(key);
                    hits++;
                }

                Assert.Equal(key, contents[slot]);
                model.Add(key);
                taken.Add(key);
                if (random.Next(20) == 0)
                {
                    slots.Forget(key.Layer, key.Expert);
                    model.Remove(key);
                    taken.Remove(key);
                    contents[slot] = null;
                }
            }

            Assert.Equal((hits, misses), (slots.Hits, slots.Misses));
        }
    }

    [Fact]
    public void An_expert_that_is_not_there_is_refused()
    {
        var slots = new ExpertSlots(2, 2, 4);

        Assert.Throws<ArgumentOutOfRangeException>(() => slots.Take(2, 0, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => slots.Take(0, 4, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => slots.Take(0, -1, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ExpertSlots(0, 2, 4));
    }
}
