using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Reference;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Reference;

public class TraceTests
{
    [Fact]
    public void Names_are_in_the_order_of_the_pass_and_both_paths_give_the_same()
    {
        using Model model = TinyModel.DeepSeek2().Load();
        string[] expected =
        [
            "embedding",
            "blk.0.attn_norm", "blk.0.attn_out", "blk.0.attn_residual", "blk.0.ffn_norm", "blk.0.ffn_out", "blk.0.layer_out",
            "blk.1.attn_norm", "blk.1.attn_out", "blk.1.attn_residual", "blk.1.ffn_norm", "blk.1.router_logits", "blk.1.ffn_out",
            "blk.1.layer_out", "output_norm", "logits",
        ];

        Assert.Equal(expected, Fast(model, [1, 2, 3]).Tensors.Select(tensor => tensor.Name));
        Assert.Equal(expected, Exact(model, [1, 2, 3]).Tensors.Select(tensor => tensor.Name));
    }

    [Fact]
    public void A_trace_ends_with_the_logits_and_changes_none()
    {
        using Model model = TinyModel.Llama().Load();
        float[] logits = Run.Logits(model, [4, 5, 6]);

        TracedTensor traced = Fast(model, [4, 5, 6])["logits"];

        Assert.Equal([3, 20], [traced.Rows, traced.Columns]);
        Assert.Equal(logits.Select(logit => (double)logit), Enumerable.Range(0, traced.Rows).SelectMany(row => traced[row].ToArray()));
    }

    [Fact]
    public void A_prompt_in_chunks_gives_the_same_trace()
    {
        using Model model = TinyModel.DeepSeek2().Load();
        Trace whole = Fast(model, [4, 5, 6, 7, 8]);
        Trace chunks = Fast(model, [4, 5, 6, 7, 8], chunk: 2);

        foreach (TracedTensor tensor in whole.Tensors)
        {
            Assert.Equal(tensor.Rows, chunks[tensor.Name].Rows);
            for (int row = 0; row < tensor.Rows; row++)
                Assert.Equal(tensor[row], chunks[tensor.Name][row]);
        }
    }

    private static Trace Exact(Model model, int[] tokens)
    {
        var trace = new Trace();
        new ReferenceModel(model).Logits(tokens, trace, TestContext.Current.CancellationToken);
        return trace;
    }

    private static Trace Fast(Model model, int[] tokens, int chunk = 100)
    {
        using KvCache cache = model.CreateCache(tokens.Length);
        using Sequence sequence = cache.CreateSequence();
        var trace = new Trace();
        var batch = new Batch(chunk);
        foreach (int[] part in tokens.Chunk(chunk))
        {
            batch.Clear();
            foreach (int token in part)
                batch.Add(sequence, token, wantsLogits: true);
            model.Forward(batch, trace);
        }

        return trace;
    }
}
