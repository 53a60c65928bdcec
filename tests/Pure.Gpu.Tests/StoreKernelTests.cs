using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

public sealed class StoreKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Rows_are_stored_at_their_positions(string name)
    {
        foreach (CacheType type in new[] { CacheType.F16, CacheType.F32 })
        {
            using var texts = new CachedTexts(gpu.Open(name), 8, type, 70, 66);
            uint[] stored = new uint[texts.Cache.Layer(0).Length];
            texts.Queue.ReadBack(texts.Cache.Layer(0), stored);
            for (int text = 0; text < 2; text++)
            {
                for (int position = 0; position < texts.Given[text].Length / 8; position++)
                {
                    int row = (texts[text].Block(position / 64) * 64) + (position % 64);
                    for (int column = 0; column < 8; column++)
                        Assert.Equal(texts.Stored[text][(position * 8) + column], Element(stored, (row * 8) + column, type));
                }
            }
        }
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void Keys_and_values_may_lie_apart(string name)
    {
        using var texts = new CachedTexts(gpu.Open(name), 16, CacheType.F32, 3);
        using var ops = new AttentionOps(texts.Queue, CacheType.F32, texts.Blocks, []);
        using DeviceRows rows = texts.Rows(ops, (0, 2), (0, 1));
        using MemoryBuffer1D<float, Stride1D.Dense> x = texts.Queue.Accelerator.Allocate1D(Enumerable.Range(0, 60).Select(i => (float)i).ToArray());
        ops.Store(rows, x.View.SubView(4, 56), 20, 6, x.View.SubView(30, 30), 12, texts.Cache.Layer(0), 16);
        uint[] stored = new uint[texts.Cache.Layer(0).Length];
        texts.Queue.ReadBack(texts.Cache.Layer(0), stored);

        float[] Row(int position) =>
            [.. Enumerable.Range(0, 16).Select(column => Element(stored, (((texts[0].Block(0) * 64) + position) * 16) + column, CacheType.F32))];
        Assert.Equal([4, 5, 6, 7, 8, 9, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39], Row(2));
        Assert.Equal([24, 25, 26, 27, 28, 29, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51], Row(1));
        Assert.Equal(texts.Row(0, 0), Row(0));
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void A_block_is_copied_up_to_a_position(string name)
    {
        using var texts = new CachedTexts(gpu.Open(name), 8, CacheType.F16, 64, 64);
        ArrayView<uint> layer = texts.Cache.Layer(0);
        int from = texts[0].Block(0);
        int to = texts[1].Block(0);
        uint[] before = new uint[layer.Length];
        texts.Queue.ReadBack(layer, before);
        texts.Cache.Copy(from, to, 10);
        uint[] after = new uint[layer.Length];
        texts.Queue.ReadBack(layer, after);

        const int Words = 4;
        before.AsSpan(from * 64 * Words, 10 * Words).CopyTo(before.AsSpan(to * 64 * Words));
        Assert.Equal(before, after);
    }

    [Fact]
    public void Halves_are_rounded_to_nearest_even()
    {
        // Every half, and what lies a quarter, a half and three quarters of the way to the next one.
        for (uint half = 0; half < 0x7C00; half++)
        {
            double low = (double)BitConverter.UInt16BitsToHalf((ushort)half);
            double high = half == 0x7BFF ? 65536 : (double)BitConverter.UInt16BitsToHalf((ushort)(half + 1));
            for (int quarter = 0; quarter < 4; quarter++)
            {
                float value = (float)(low + ((high - low) * quarter / 4));
                Assert.Equal(BitConverter.HalfToUInt16Bits((System.Half)value), StoredF16.Bits(value));
                Assert.Equal(BitConverter.HalfToUInt16Bits((System.Half)(-value)), StoredF16.Bits(-value));
            }
        }

        Assert.Equal(0x7C00u, StoredF16.Bits(float.PositiveInfinity));
        Assert.Equal(0xFC00u, StoredF16.Bits(-1e30f));
        Assert.Equal(0x7E00u, StoredF16.Bits(float.NaN) & 0x7FFF);
        Assert.Equal(0u, StoredF16.Bits(1e-30f));
    }

    private static float Element(uint[] words, int element, CacheType type) => type == CacheType.F32
        ? BitConverter.UInt32BitsToSingle(words[element])
        : (float)BitConverter.UInt16BitsToHalf((ushort)(words[element / 2] >> (16 * (element % 2))));
}
