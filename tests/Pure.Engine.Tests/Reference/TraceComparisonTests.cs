using Pure.Engine.Models;
using Pure.Engine.Reference;

namespace Pure.Engine.Tests.Reference;

public class TraceComparisonTests
{
    [Fact]
    public void The_first_to_part_is_the_first_of_the_pass_whatever_the_order_of_the_files()
    {
        Trace ours = Trace(("logits", 1), ("blk.10.attn_out", 1), ("blk.2.layer_out", 1), ("blk.2.ffn_out", 1), ("embedding", 1), ("output_norm", 1));
        Trace theirs = Trace(("embedding", 1), ("blk.2.ffn_out", 1), ("blk.2.layer_out", 2), ("blk.10.attn_out", 2), ("output_norm", 2), ("logits", 2));

        TraceComparison comparison = TraceComparison.Of(ours, theirs, 1e-4);

        Assert.Equal(
            ["embedding", "blk.2.ffn_out", "blk.2.layer_out", "blk.10.attn_out", "output_norm", "logits"],
            comparison.Tensors.Select(tensor => tensor.Name));
        Assert.Equal("blk.2.layer_out", comparison.First!.Name);
        Assert.Equal("blk.2.ffn_out", comparison.Before!.Name);
        Assert.Equal(0.5, comparison.First.Error);
    }

    [Fact]
    public void The_first_position_that_parts_is_named_with_the_column_and_the_largest_error()
    {
        var ours = new Trace();
        var theirs = new Trace();
        foreach ((double[] our, double[] their) in (ReadOnlySpan<(double[], double[])>)
            [([1, 1], [1, 1]), ([1, 1.1], [1, 1]), ([1, 1], [1, 2]), ([3, 3], [3, 3])])
        {
            ours.Add("logits", our);
            theirs.Add("logits", their);
        }

        TensorComparison logits = TraceComparison.Of(ours, theirs, 0.01).First!;

        Assert.Equal((4, 1, 2, 2), (logits.Rows, logits.FirstRow!.Value, logits.PartingRows, logits.LargestRow));
        Assert.Equal((1, 1.1, 1), (logits.Column, logits.Ours, logits.Theirs));
        Assert.Equal(0.1 / Math.Sqrt(2), logits.Error, 12);
    }

    [Theory]
    [InlineData(double.NaN, 1, true)]
    [InlineData(1, double.NaN, true)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity, true)]
    [InlineData(0, 0, false)]
    [InlineData(1e-9, 0, true)]
    public void What_is_no_number_parts_and_zeros_agree(double ours, double theirs, bool parts) =>
        Assert.Equal(parts, TraceComparison.Of(Trace(("logits", ours)), Trace(("logits", theirs)), 1e-4).First is not null);

    [Fact]
    public void Names_of_one_side_are_told_and_may_be_mapped()
    {
        Trace ours = Trace(("embedding", 1), ("logits", 1));
        Trace theirs = Trace(("embedding", 1), ("lm_head", 2));

        TraceComparison plain = TraceComparison.Of(ours, theirs, 1e-4);
        Assert.Null(plain.First);
        Assert.Equal(["logits"], plain.OnlyOurs);
        Assert.Equal(["lm_head"], plain.OnlyTheirs);

        TraceComparison mapped = TraceComparison.Of(ours, theirs, 1e-4, name => name == "logits" ? "lm_head" : name);
        Assert.Equal("logits", mapped.First!.Name);
    }

    [Fact]
    public void Traces_that_cannot_be_compared_are_refused()
    {
        var wide = new Trace();
        wide.Add("logits", [1, 2]);

        Assert.Throws<InvalidRequestException>(() => TraceComparison.Of(Trace(("logits", 1)), Trace(("other", 1)), 1e-4));
        Assert.Throws<InvalidRequestException>(() => TraceComparison.Of(Trace(("logits", 1)), wide, 1e-4));
        Assert.Throws<ArgumentException>(() => wide.Add("logits", [1]));
    }

    private static Trace Trace(params ReadOnlySpan<(string Name, double Value)> tensors)
    {
        var trace = new Trace();
        foreach ((string name, double value) in tensors)
            trace.Add(name, [value]);
        return trace;
    }
}
