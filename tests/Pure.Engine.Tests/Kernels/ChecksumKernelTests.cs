using Pure.Engine.Kernels;
using Pure.Engine.Memory;

namespace Pure.Engine.Tests.Kernels;

/// <summary>What the checksum of rearranged weights finds.</summary>
public sealed class ChecksumKernelTests
{
    [Fact]
    public void Every_flipped_bit_and_every_length_changes_it()
    {
        for (int length = 0; length <= 200; length++)
        {
            using AlignedBuffer<byte> memory = Random(length);
            ulong whole = ChecksumKernel.Of(memory.View);
            for (int bit = 0; bit < 8 * length; bit += 3)
            {
                memory.Span[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.NotEqual(whole, ChecksumKernel.Of(memory.View));
                memory.Span[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            Assert.Equal(whole, ChecksumKernel.Of(memory.View));
            if (length > 0)
                Assert.NotEqual(whole, ChecksumKernel.Of(memory.View.Slice(0, length - 1)));
        }
    }

    [Fact]
    public void Exchanged_pieces_and_zeroed_pages_change_it()
    {
        using AlignedBuffer<byte> memory = Random(1 << 16);
        ulong whole = ChecksumKernel.Of(memory.View);
        for (int page = 0; page < 16; page += 5)
        {
            Span<byte> first = memory.Span.Slice(page * 4096, 64);
            Span<byte> second = memory.Span.Slice((page * 4096) + 2048, 64);
            byte[] kept = first.ToArray();
            second.CopyTo(first);
            kept.CopyTo(second);
            Assert.NotEqual(whole, ChecksumKernel.Of(memory.View));
            first.CopyTo(second);
            kept.CopyTo(first);
            (byte[] secondKept, kept) = (second.ToArray(), memory.Span.Slice(page * 4096, 4096).ToArray());
            memory.Span.Slice(page * 4096, 4096).Clear();
            Assert.NotEqual(whole, ChecksumKernel.Of(memory.View));
            kept.CopyTo(memory.Span.Slice(page * 4096, 4096));
        }
    }

    private static AlignedBuffer<byte> Random(int length)
    {
        var memory = new AlignedBuffer<byte>(length);
        new Random(length).NextBytes(memory.Span);
        return memory;
    }
}
