using Pure.Engine.Layers;

namespace Pure.Engine.Reference;

/// <summary>Grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245) over a whole sequence.</summary>
internal static class GroupedQuery
{
    /// <param name="attention">Shape and weights.</param>
    /// <param name="x">Normalised input <c>[positions, embedding]</c>.</param>
    /// <returns><c>[positions, embedding]</c>.</returns>
    internal static Matrix Of(GroupedQueryAttention attention, Matrix x)
    {
        GroupedQueryShape shape = attention.Shape;
        GroupedQueryAttention.Weights weights = attention.LayerWeights;
        Matrix q = Product.Of(weights.Query, x);
        Matrix k = Product.Of(weights.Key, x);
        Matrix v = Product.Of(weights.Value, x);
        var rotation = new Rotation(attention.Rope);
        for (int position = 0; position < x.Rows; position++)
        {
            NormAndRotate(attention, weights.QueryNorm, rotation, position, q[position]);
            NormAndRotate(attention, weights.KeyNorm, rotation, position, k[position]);
        }

        var mixed = new Matrix(x.Rows, shape.Heads * shape.ValueSize);
        for (int head = 0; head < shape.Heads; head++)
        {
            int kvHead = head / (shape.Heads / shape.KvHeads);
            DotProductAttention.Attend(
                q,
                Columns(head, shape.KeySize),
                k,
                Columns(kvHead, shape.KeySize),
                v,
                Columns(kvHead, shape.ValueSize),
                mixed,
                head * shape.ValueSize,
                attention.Scale,
                attention.Window,
                weights.Sinks?[head]);
        }

        return Product.Of(weights.Output, mixed);
    }

    private static void NormAndRotate(GroupedQueryAttention attention, RmsNorm? norm, Rotation rotation, int position, Span<double> heads)
    {
        if (norm is not null)
        {
            // As wide as a head, or as all of them.
            for (int start = 0; start < heads.Length; start += norm.Size)
                Normalization.InPlace(norm, heads.Slice(start, norm.Size));
        }

        for (int start = 0; start < heads.Length; start += attention.Shape.KeySize)
            rotation.InPlace(position, heads.Slice(start, attention.Rope.Dimensions));
    }

    private static Range Columns(int head, int size) => (head * size)..((head + 1) * size);
}
