using ILGPU;
using ILGPU.Runtime;

namespace Pure.Gpu.Tests;

public sealed class GpuQueueTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    private const int StagingBytes = 64;

    public static TheoryData<string> Accelerators => GpuFixture.Names;

    /// <summary>Copies of 1 to 50 integers through room for 16 of them.</summary>
    [Theory, MemberData(nameof(Accelerators))]
    public void What_is_uploaded_is_read_back_whatever_its_length(string name)
    {
        using var queue = new GpuQueue(gpu.Open(name), StagingBytes);
        using MemoryBuffer1D<int, Stride1D.Dense> buffer = queue.Allocate<int>(50 * 51 / 2);
        var random = new Random(4);
        var expected = new int[buffer.Length];
        var source = new int[50];
        for (int count = 1, at = 0; count <= source.Length; at += count++)
        {
            foreach (ref int value in source.AsSpan(0, count))
                value = random.Next();
            source.AsSpan(0, count).CopyTo(expected.AsSpan(at));
            queue.Upload<int>(source.AsSpan(0, count), buffer.View.SubView(at, count));

            // The source may change at once.
            source.AsSpan().Clear();
            var some = new int[at + count];
            if (count % 7 == 0)
            {
                queue.ReadBack<int>(buffer.View, some);
                Assert.Equal(expected.Take(some.Length), some);
            }
        }

        var actual = new int[expected.Length];
        queue.ReadBack<int>(buffer.View, actual);
        Assert.Equal(expected, actual);
        Assert.Equal((50, 8, sizeof(int) * buffer.Length), (queue.Uploads, queue.ReadBacks, queue.UploadedBytes));
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void Nothing_is_no_copy(string name)
    {
        using var queue = new GpuQueue(gpu.Open(name), StagingBytes);
        queue.Upload<int>([], default);
        queue.ReadBack<int>(default, []);
        Assert.Equal((0, 0), (queue.Uploads, queue.ReadBacks));
    }
}
