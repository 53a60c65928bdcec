using Pure.Engine.Layers;

namespace Pure.Engine.Reference;

/// <summary>
/// Multi-head latent attention in the paper's expanded form (DeepSeek-V2, arXiv:2405.04434, equations 37–47): every head's keys and
/// values are written out, where the engine attends to the latent itself.
/// </summary>
internal static class ExpandedLatent
{
    /// <param name="attention">Shape and weights.</param>
    /// <param name="x">Normalised input <c>[positions, embedding]</c>.</param>
    /// <returns><c>[positions, embedding]</c>.</returns>
    internal static Matrix Of(MultiHeadLatentAttention attention, Matrix x)
    {
        LatentShape shape = attention.Shape;
        MultiHeadLatentAttention.Weights weights = attention.LayerWeights;
        Matrix q = Queries(weights, x);
        Matrix down = Product.Of(weights.LatentDown, x);
        var latent = new Matrix(x.Rows, shape.LatentSize);
        var rotation = new Rotation(attention.Rope);
        for (int position = 0; position < x.Rows; position++)
        {
            down[position][..shape.LatentSize].CopyTo(latent[position]);
            Normalization.InPlace(weights.LatentNorm, latent[position]);
            rotation.InPlace(position, down[position][shape.LatentSize..]);
            for (int head = 0; head < shape.Heads; head++)
                rotation.InPlace(position, q[position].Slice((head * shape.QuerySize) + shape.NopeSize, shape.RopeSize));
        }

        var mixed = new Matrix(x.Rows, shape.Heads * shape.ValueSize);
        for (int head = 0; head < shape.Heads; head++)
        {
            Matrix v = Product.Of(weights.ValueUp[head], latent);
            DotProductAttention.Attend(
                q,
                (head * shape.QuerySize)..((head + 1) * shape.QuerySize),
                Keys(weights.KeyUp[head], shape, latent, down),
                ..,
                v,
                ..,
                mixed,
                head * shape.ValueSize,
                Rotation.ScoreFactor(attention.Rope.Scaling) / Math.Sqrt(shape.QuerySize));
        }

        return Product.Of(weights.Output, mixed);
    }

    private static Matrix Queries(MultiHeadLatentAttention.Weights weights, Matrix x) => weights.QueryDown is null
        ? Product.Of(weights.Query, x)
        : Product.Of(weights.Query, Normalization.Of(weights.QueryNorm!, Product.Of(weights.QueryDown, x)));

    /// <summary>One head's keys <c>[positions, nope + rope]</c>: W_UK·latent, then the rotary key that all heads share.</summary>
    private static Matrix Keys(Linear transposedKeyUp, LatentShape shape, Matrix latent, Matrix down)
    {
        Matrix nope = Product.OfTransposed(transposedKeyUp, latent);
        var keys = new Matrix(latent.Rows, shape.QuerySize);
        for (int position = 0; position < latent.Rows; position++)
        {
            nope[position].CopyTo(keys[position]);
            down[position][shape.LatentSize..].CopyTo(keys[position][shape.NopeSize..]);
        }

        return keys;
    }
}
