using Pure.Engine.Formats.Gguf;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Tests.Models;
using Pure.Engine.Tests.Quantization;

namespace Pure.Engine.Tests.Formats;

/// <summary>
/// Faults that other readers of GGUF had, each by its name in the CVE list. (Code run from a chat template, CVE-2024-34359 and
/// CVE-2026-5760, is in the chat room's tests.)
/// </summary>
public class KnownFaultTests
{
    private const uint F32 = 0;
    private const uint F16 = 1;
    private const uint Q8_0 = 8;

    /// <summary>
    /// CVE-2025-53630: sizes that are each possible add up past 2^64, so that the last tensors seem to lie at the file's beginning.
    /// </summary>
    [Fact]
    public void Sizes_whose_sum_overflows_are_refused()
    {
        const ulong Half = (1UL << 63) - 32; // bytes
        byte[] file = new GgufBuilder()
            .Tensor("first", F32, [Half / 4], [], 0)
            .Tensor("second", F32, [Half / 4], [], Half)
            .Tensor("third", F32, [8], new byte[32], unchecked(2 * Half)) // 2^64 - 64
            .Tensor("wrapped", F32, [8], new byte[32], unchecked((2 * Half) + 64)) // 0 again
            .Build();

        Refuse(file, "past the end of the file");
    }

    /// <summary>
    /// CVE-2026-27940: the sum is possible, and overflows when the headers of so many tensors, or the rounding to the alignment, are
    /// added to it.
    /// </summary>
    [Theory]
    [InlineData((1UL << 63) - 4)]
    [InlineData((1UL << 63) - 32)]
    [InlineData((1UL << 62) + 4)]
    public void A_size_that_overflows_with_what_is_added_to_it_is_refused(ulong bytes)
    {
        Refuse(new GgufBuilder().Tensor("large", F32, [bytes / 4], []).Build(), "tensor 'large'", "past the end of the file");
        foreach (ulong count in (ulong[])[ulong.MaxValue / 368, ulong.MaxValue / 400, 1UL << 56])
            Refuse(new GgufBuilder { TensorCount = count }.Tensor("small", F32, [8], new byte[32]).Build(), $"{count}");
    }

    /// <summary>CVE-2026-33298: dimensions whose product overflows, so that a large tensor seems to need a small buffer.</summary>
    [Theory]
    [InlineData(F32, new ulong[] { 1UL << 32, 1UL << 30 })]
    [InlineData(F16, new ulong[] { 1UL << 32, 1UL << 31 })]
    [InlineData(Q8_0, new ulong[] { 1UL << 40, 1UL << 24 })]
    [InlineData(Q8_0, new ulong[] { (1UL << 63) - 32 })]
    [InlineData(F32, new ulong[] { 1UL << 16, 1UL << 16, 1UL << 16, 1UL << 16 })]
    public void Dimensions_whose_product_overflows_are_refused(uint type, ulong[] sizes) =>
        Refuse(new GgufBuilder().Tensor("t", type, sizes, new byte[64]).Build(), "tensor 't'", "2^63 bytes or more");

    /// <summary>
    /// CVE-2026-7482: offset and size reach past the end of the file, and the bytes behind it are read when the weights are converted.
    /// Here nobody gets as far as a weight: not with one byte too few, not with an offset at the end or beyond.
    /// </summary>
    [Fact]
    public void Offsets_past_the_end_are_refused_before_a_weight_is_read()
    {
        byte[] file = new GgufBuilder().Tensor("t", F16, [32, 4], new byte[256]).Build();
        Refuse(file[..^1], "tensor 't'", "1 bytes past the end of the file");
        foreach (ulong offset in (ulong[])[32, 256, 1UL << 40, (1UL << 63) - 32, ulong.MaxValue - 31])
            Refuse(new GgufBuilder().Tensor("t", F16, [32, 4], new byte[256], offset).Build(), "tensor 't'", "past the end of the file");

        // More columns than the data has: also when the size alone is right for another type.
        Refuse(new GgufBuilder().Tensor("t", F32, [32, 4], new byte[256]).Build(), "tensor 't'", "256 bytes past the end of the file");
    }

    /// <summary>A scale that is no number spoils every weight of its block; the first layer to show it is named.</summary>
    [Theory]
    [InlineData(ActivationType.Q8)]
    [InlineData(ActivationType.F32)]
    public void A_block_whose_scale_is_no_number_is_blamed_on_its_layer(ActivationType activations)
    {
        MemoryModelFile file = TinyFamily.Create("llama", ElementType.Q8_0, experts: 0);
        BitConverter.TryWriteBytes(file.Bytes("blk.1.ffn_up.weight"), Half.NaN);
        using var model = Model.Load(file, new ModelOptions { Threads = 1, MaxBatchRows = 4, Activations = activations });

        var error = Assert.Throws<NotFiniteNumberException>(() => Run.Logits(model, [1, 2, 3]));

        Refusal.Check(error.Message, "layer 1", "not a finite number");
    }

    private static void Refuse(byte[] file, params string[] facts)
    {
        using var bytes = Bytes.Of(file);
        Refusal.Of(() => GgufFile.Parse(bytes.View, "test.gguf"), facts);
    }
}
