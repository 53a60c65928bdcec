using ILGPU;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

public sealed class DeviceRowsTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Rows_of_one_text_share_a_table_and_all_is_one_upload(string name)
    {
        using var texts = new CachedTexts(gpu.Open(name), 8, CacheType.F16, 150, 70);
        using var ops = new AttentionOps(texts.Queue, CacheType.F16, texts.Blocks, []);
        using var rope = new RotaryEmbedding(new RotaryScaling.None(), 100, 3, false, 3);
        long before = texts.Queue.Uploads;
        using DeviceRows rows = texts.Rows(ops, [rope], (0, 149), (1, 69), (0, 3));
        Assert.Equal(1, texts.Queue.Uploads - before);

        int[] tables = new int[rows.Tables.Length];
        texts.Queue.ReadBack(rows.Tables, tables);
        Assert.Equal([texts[0].Block(0), texts[0].Block(1), texts[0].Block(2), texts[1].Block(0), texts[1].Block(1)], tables);
        var places = new RowPlace[3];
        texts.Queue.ReadBack(rows.Places, places);
        Assert.Equal([(149, 0, 0), (69, 3, 2), (3, 0, 3)], places.Select(place => (place.Position, place.Table, place.Slot)));
        var spans = new SpanPlace[4];
        texts.Queue.ReadBack(rows.Spans, spans);
        Assert.Equal([(0, 0), (0, 1), (1, 0), (2, 0)], spans.Select(span => (span.Row, span.Span)));
        float[] sines = new float[9];
        texts.Queue.ReadBack(rows.Sines(rope), sines);
        Assert.Equal(rope.Sines(3), sines);
    }
}
