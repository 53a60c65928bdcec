using ILGPU;
using Pure.Engine.Layers;

namespace Pure.Gpu.Tests;

public sealed class ExpertCacheTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Every_slot_is_computed_once_with_its_expert(string name)
    {
        const int Layers = 2;
        const int Places = 7;
        const int MaxRows = 5;
        using var device = new Device(gpu.Open(name));
        var shape = new RouterShape(10, 3, GateFunction.Softmax, 1, 1, true, 1);
        using var routing = new Routing(device.Queue, shape, MaxRows);
        var held = new (int Layer, int Expert)[Places];
        using var cache = new ExpertCache(device.Queue, Places, Layers, shape.Experts, MaxRows * shape.Used, (layer, expert, place) => held[place] = (layer, expert));
        var random = new Random(8);
        long parts = 0;
        long named = 0;
        for (int step = 0; step < 30; step++)
        {
            int layer = step % Layers;
            int rows = random.Next(1, MaxRows + 1);
            routing.Choose(device.Upload(device.Random(rows * shape.Experts)), shape.Experts, default, rows);
            long readBacks = device.Queue.ReadBacks;
            cache.Read(routing, rows);
            Assert.Equal(readBacks + 1, device.Queue.ReadBacks);

            int[] experts = device.Read(routing.ExpertOfSlot, cache.Pairs);
            named += experts.Distinct().Count();
            int done = 0;
            while (done < cache.Pairs)
            {
                int ready = cache.Prepare(layer, done);
                Assert.InRange(ready, 1, cache.Pairs - done);
                int[] places = device.Read(cache.PlaceOfSlot.SubView(done, ready), ready);
                Assert.Equal(experts[done..(done + ready)].Select(expert => (layer, expert)), places.Select(place => held[place]));
                done += ready;
                parts++;
            }
        }

        Assert.True(parts > 30, "no batch named more experts than have room");
        Assert.Equal(named, cache.Hits + cache.Misses);
        Assert.InRange(cache.Hits, 1, named - 1);
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void An_expert_that_could_not_be_brought_is_brought_again(string name)
    {
        using var device = new Device(gpu.Open(name));
        var shape = new RouterShape(4, 1, GateFunction.Softmax, 1, 1, true, 1);
        using var routing = new Routing(device.Queue, shape, 1);
        int calls = 0;
        using var cache = new ExpertCache(device.Queue, 2, 1, 4, 1, (_, _, _) =>
        {
            if (calls++ == 0)
                throw new IOException("once");
        });
        routing.Choose(device.Upload(device.Random(4)), 4, default, 1);
        cache.Read(routing, 1);

        Assert.Throws<IOException>(() => cache.Prepare(0, 0));
        Assert.Equal(1, cache.Prepare(0, 0));
        Assert.Equal(1, cache.Prepare(0, 0));

        Assert.Equal(2, calls);
        Assert.Equal((1, 2), (cache.Hits, cache.Misses));
    }
}
