namespace Pure.Gpu.Tests;

public sealed class ExpertPlacesTests
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
            var places = new ExpertPlaces(count, layers, experts);
            var model = new List<(int Layer, int Expert)>();
            var taken = new HashSet<(int Layer, int Expert)>();
            var contents = new (int Layer, int Expert)?[count];
            (long hits, long misses) = (0, 0);
            for (int step = 0; step < 200; step++)
            {
                if (random.Next(3) == 0)
                {
                    places.BeginPass();
                    taken.Clear();
                }

                (int Layer, int Expert) key = (random.Next(layers), random.Next(experts));
                bool isHeld = model.Contains(key);
                int leaves = isHeld || model.Count < count ? -1 : model.FindIndex(held => !taken.Contains(held));
                bool hasRoom = isHeld || model.Count < count || leaves >= 0;

                int place = places.Take(key.Layer, key.Expert, out bool isNew);

                Assert.Equal(!isHeld, isNew);
                Assert.Equal(hasRoom, place >= 0);
                if (!hasRoom)
                    continue;
                if (isNew)
                {
                    Assert.Equal(leaves < 0 ? null : model[leaves], contents[place]);
                    contents[place] = key;
                    if (leaves >= 0)
                        model.RemoveAt(leaves);
                    misses++;
                }
                else
                {
                    model.Remove(key);
                    hits++;
                }

                Assert.Equal(key, contents[place]);
                model.Add(key);
                taken.Add(key);
                if (random.Next(20) == 0)
                {
                    places.Forget(key.Layer, key.Expert);
                    model.Remove(key);
                    taken.Remove(key);
                    contents[place] = null;
                }
            }

            Assert.Equal((hits, misses), (places.Hits, places.Misses));
        }
    }

    [Fact]
    public void Slots_are_made_ready_in_parts_and_those_found_do_not_make_room()
    {
        var places = new ExpertPlaces(3, 1, 8);
        var missing = new List<ExpertPlace>();
        var placeOf = new int[8];
        Assert.Equal(3, places.Prepare(0, [1, 2, 3], placeOf, missing));
        Assert.Equal([1, 2, 3], missing.Select(expert => expert.Expert));

        // 1 is the least recently used, and asked for again: 2 makes room.
        missing.Clear();
        Assert.Equal(4, places.Prepare(0, [0, 0, 1, 3], placeOf, missing));
        Assert.Equal([new ExpertPlace(0, 0, 1)], missing);
        Assert.Equal([1, 1, 0, 2], placeOf[..4]);

        // 7, which is not there, is not among the three that have room.
        missing.Clear();
        Assert.Equal(3, places.Prepare(0, [4, 5, 6, 7], placeOf, missing));
        Assert.Equal([4, 5, 6], missing.Select(expert => expert.Expert));
        missing.Clear();
        Assert.Equal(1, places.Prepare(0, [7], placeOf, missing));
        Assert.Equal([7], missing.Select(expert => expert.Expert));
    }

    [Fact]
    public void A_guess_takes_no_place_of_the_pass_and_counts_as_right_once_it_is_asked_for()
    {
        var places = new ExpertPlaces(4, 2, 8);
        var missing = new List<ExpertPlace>();
        var placeOf = new int[8];
        places.Prepare(0, [1, 2], placeOf, missing);
        missing.Clear();

        places.Guess(1, [1, 2, 2, 3], missing);
        Assert.Equal([1, 2], missing.Select(expert => expert.Expert));
        Assert.DoesNotContain(missing, expert => expert.Place == placeOf[0] || expert.Place == placeOf[1]);

        missing.Clear();
        Assert.Equal(2, places.Prepare(1, [2, 3], placeOf, missing));
        Assert.Equal([3], missing.Select(expert => expert.Expert));
        places.Prepare(1, [2, 3], placeOf, missing);
        Assert.Equal((2, 1), (places.Guesses, places.RightGuesses));
        Assert.Equal((3, 3), (places.Hits, places.Misses));
    }

    [Fact]
    public void An_expert_that_is_not_there_is_refused()
    {
        var places = new ExpertPlaces(2, 2, 4);

        Assert.Throws<ArgumentOutOfRangeException>(() => places.Take(2, 0, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => places.Take(0, 4, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => places.Take(0, -1, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ExpertPlaces(0, 2, 4));
    }
}
