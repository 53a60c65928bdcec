using Pure.Engine.Layers;
using Pure.Engine.Models;

namespace Pure.Engine.Reference;

/// <summary>
/// The last word on what a model's logits are: a forward pass in plain double-precision loops, written from the papers and sharing no
/// arithmetic with the engine. It interprets the assembled layers, so a family is written once; weights are what they are stored
/// as, widened; keys and values stay in double precision; exponentials, sines and roots are the runtime's (System.Math). It is slow,
/// single-threaded, and allocates as it likes. Its bits may differ in the last place from one machine to another.
/// </summary>
/// <param name="model">The model; its threads, instruction set, activation and cache types have no part in this.</param>
public sealed class ReferenceModel(Model model)
{
    /// <summary>The logits of every position of one sequence, before any softmax.</summary>
    /// <param name="tokens">Token ids, at positions from 0.</param>
    /// <param name="trace">Where every named intermediate is written down, or null.</param>
    /// <param name="cancellation">Stops it, at most one layer later.</param>
    /// <returns>A row of vocabulary size per token <c>[positions][vocabulary]</c>.</returns>
    /// <exception cref="InvalidRequestException">There are no tokens, too many, or one outside the vocabulary.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public IReadOnlyList<double[]> Logits(ReadOnlySpan<int> tokens, Trace? trace = null, CancellationToken cancellation = default)
    {
        Check(tokens);
        Transformer transformer = model.Transformer;
        Matrix x = Embed(transformer, tokens);
        Record(trace, TraceName.Embedding, x);
        for (int layer = 0; layer < transformer.Blocks.Length; layer++)
        {
            cancellation.ThrowIfCancellationRequested();
            Layer(transformer.Blocks[layer], layer, x, trace);
        }

        Matrix normed = Normalization.Of(transformer.OutputNorm, x);
        Record(trace, TraceName.OutputNorm, normed);
        Matrix logits = Product.Of(transformer.Head, normed);
        for (int row = 0; row < logits.Rows; row++)
        {
            foreach (ref double logit in logits[row])
                logit /= transformer.LogitDivisor;
        }

        Record(trace, TraceName.Logits, logits);
        return [.. Enumerable.Range(0, logits.Rows).Select(row => logits[row].ToArray())];
    }

    private static Matrix Embed(Transformer transformer, ReadOnlySpan<int> tokens)
    {
        var x = new Matrix(tokens.Length, transformer.Embedding.Inputs);
        var embedding = new float[transformer.Embedding.Inputs];
        for (int position = 0; position < tokens.Length; position++)
        {
            Product.Row(transformer.Embedding, tokens[position], embedding);
            for (int column = 0; column < embedding.Length; column++)
                x[position][column] = (double)embedding[column] * transformer.EmbeddingScale;
        }

        return x;
    }

    private static void Layer(TransformerBlock block, int layer, Matrix x, Trace? trace)
    {
        Matrix normed = Normalization.Of(block.AttentionNorm, x);
        Record(TraceName.AttentionNorm, normed);
        Matrix branch = block.Attention switch
        {
            GroupedQueryAttention attention => GroupedQuery.Of(attention, normed),
            MultiHeadLatentAttention attention => ExpandedLatent.Of(attention, normed),
            _ => throw Lacks(block.Attention),
        };
        Record(TraceName.AttentionOut, branch);
        if (block.AttentionPostNorm is not null)
        {
            branch = Normalization.Of(block.AttentionPostNorm, branch);
            Record(TraceName.AttentionPostNorm, branch);
        }

        AddScaled(x, block.ResidualScale, branch);
        Record(TraceName.AttentionResidual, x);
        normed = Normalization.Of(block.FeedForwardNorm, x);
        Record(TraceName.FeedForwardNorm, normed);
        switch (block.FeedForward)
        {
            case GatedFeedForward network:
                branch = Gating.Of(network, normed);
                break;
            case MixtureOfExperts mixture:
                branch = Mixture.Of(mixture, normed, out Matrix routerLogits);
                Record(TraceName.RouterLogits, routerLogits);
                break;
            default:
                throw Lacks(block.FeedForward);
        }

        Record(TraceName.FeedForwardOut, branch);
        if (block.FeedForwardPostNorm is not null)
        {
            branch = Normalization.Of(block.FeedForwardPostNorm, branch);
            Record(TraceName.FeedForwardPostNorm, branch);
        }

        AddScaled(x, block.ResidualScale, branch);
        Record(TraceName.LayerOut, x);

        void Record(string name, Matrix rows) => ReferenceModel.Record(trace, TraceName.InLayer(layer, name), rows);
    }

    private static void AddScaled(Matrix x, double scale, Matrix branch)
    {
        for (int row = 0; row < x.Rows; row++)
        {
            for (int column = 0; column < x.Columns; column++)
                x[row][column] += scale * branch[row][column];
        }
    }

    private static void Record(Trace? trace, string name, Matrix rows)
    {
        for (int row = 0; trace is not null && row < rows.Rows; row++)
            trace.Add(name, rows[row]);
    }

    private static NotSupportedException Lacks(object layer) => new($"The reference lacks the layer {layer.GetType().Name}.");

    private void Check(ReadOnlySpan<int> tokens)
    {
        if (tokens.IsEmpty)
            throw new InvalidRequestException("The text is empty; give at least one token.");
        if (tokens.Length > model.Info.ContextLength)
        {
            throw new InvalidRequestException(
                $"The text has {tokens.Length} tokens and the model's context is {model.Info.ContextLength}; shorten it.");
        }

        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)model.Info.VocabularySize)
            {
                throw new InvalidRequestException(
                    $"Token {token} lies outside the vocabulary of {model.Info.VocabularySize}; ids run from 0 to {model.Info.VocabularySize - 1}.");
            }
        }
    }
}
