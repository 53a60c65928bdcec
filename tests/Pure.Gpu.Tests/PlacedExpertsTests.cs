using ILGPU;
using Pure.Engine.Layers;
using Pure.Engine.Quantization;

namespace Pure.Gpu.Tests;

public sealed class PlacedExpertsTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Experts_that_come_and_go_give_the_bits_of_those_that_stay(string name)
    {
        const int Layers = 2;
        const int Experts = 6;
        const int Places = 4;
        const int Outputs = 5;
        const int Inputs = 32;
        const int MaxRows = 4;
        using var device = new Device(gpu.Open(name));
        var matMul = new MatMul(device.Queue);
        foreach (bool hasBias in new[] { false, true })
        {
            TestWeights[][] weights =
            [
                .. Enumerable.Range(0, Layers).Select(layer => Enumerable.Range(0, Experts)
                    .Select(expert => new TestWeights(ElementType.Q8_0, Outputs, Inputs, (layer * Experts) + expert)).ToArray()),
            ];
            float[][] biases = [.. weights.Select(_ => device.Random(Experts * Outputs))];
            DeviceMatrix[] all = [.. weights.Select(layer => DeviceMatrix.Upload(device.Queue, [.. layer.Select(expert => expert.Matrix)]))];
            using var placed = new PlacedExperts(device.Queue, weights[0][0].Matrix, hasBias, Places);
            using var routing = new Routing(device.Queue, new RouterShape(Experts, 2, GateFunction.Softmax, 1, 1, true, 1), MaxRows);
            using var cache = new ExpertCache(
                device.Queue,
                Places,
                Layers,
                Experts,
                MaxRows * 2,
                (layer, expert, place) => placed.Put(place, weights[layer][expert].Matrix, hasBias ? biases[layer].AsSpan(expert * Outputs, Outputs) : []));
            using var x = new DeviceInput(device.Queue, MaxRows, Inputs);
            device.Queue.Upload<float>(device.Random(MaxRows * Inputs), x.Values);
            matMul.Quantize(x, MaxRows);
            for (int layer = 0; layer < Layers; layer++)
            {
                foreach (int rows in new[] { 1, 1, 4, 2, 1, 3 })
                {
                    int slots = rows * 2;
                    routing.Choose(device.Upload(device.Random(rows * Experts)), Experts, default, rows);
                    ArrayView<float> expected = device.Upload(new float[slots * Outputs]);
                    ArrayView<float> actual = device.Upload(new float[slots * Outputs]);
                    ArrayView<float> bias = hasBias ? device.Upload(biases[layer]) : default;

                    matMul.RunGrouped(all[layer], Outputs, x, routing.RowOfSlot, routing.ExpertOfSlot, slots, expected, Outputs, bias);
                    cache.Read(routing, rows);
                    for (int done = 0, ready; done < cache.Pairs; done += ready)
                    {
                        ready = cache.Prepare(layer, done);
                        placed.Run(
                            matMul,
                            x,
                            routing.RowOfSlot.SubView(done, ready),
                            cache.PlaceOfSlot.SubView(done, ready),
                            ready,
                            actual.SubView(done * Outputs, ready * Outputs),
                            Outputs);
                    }

                    Assert.Equal(device.Read(expected), device.Read(actual));
                }
            }

            Assert.True(cache.Hits > 0 && cache.Misses > Places);
            foreach (DeviceMatrix matrix in all)
                matrix.Dispose();
            foreach (TestWeights matrix in weights.SelectMany(layer => layer))
                matrix.Dispose();
        }
    }

    [Fact]
    public void What_is_unlike_has_no_place()
    {
        using var device = new Device(gpu.Open("cpu"));
        using var weights = new TestWeights(ElementType.Q8_0, 4, 32, 1);
        using var wider = new TestWeights(ElementType.Q8_0, 4, 64, 1);
        using var placed = new PlacedExperts(device.Queue, weights.Matrix, hasBias: false, 3);

        Assert.Throws<ArgumentException>(() => placed.Put(0, wider.Matrix, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => placed.Put(3, weights.Matrix, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => placed.Put(0, weights.Matrix, [1, 2, 3, 4]));
    }
}
