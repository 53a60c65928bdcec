using Pure.Engine.Layers;

namespace Pure.Gpu.Kernels;

/// <summary>Which columns of a row are normalised together and which of them are rotated. Sizes and strides in elements.</summary>
internal struct RotateShape
{
    /// <summary>Row to row of the source.</summary>
    internal int SourceStride;

    /// <summary>The first unit's first column in a row of the source.</summary>
    internal int SourceColumn;

    /// <summary>Unit to unit in a row of the source.</summary>
    internal int SourceUnit;

    /// <summary>Row to row of the target.</summary>
    internal int TargetStride;

    /// <summary>The first unit's first column in a row of the target.</summary>
    internal int TargetColumn;

    /// <summary>Unit to unit in a row of the target.</summary>
    internal int TargetUnit;

    /// <summary>Units of a row.</summary>
    internal int Units;

    /// <summary>Columns of a unit, which a group handles: a head, or all heads where one norm runs over them.</summary>
    internal int UnitSize;

    /// <summary>How many of a unit's columns, the first ones, are normalised; 0 for none.</summary>
    internal int NormSize;

    /// <summary>Added to the mean square.</summary>
    internal float Epsilon;

    /// <summary>Columns of a head; a unit is whole heads.</summary>
    internal int HeadSize;

    /// <summary>A head's first rotated column.</summary>
    internal int RotaryColumn;

    /// <summary>Half the rotated columns of a head; 0 for none.</summary>
    internal int Pairs;

    /// <summary>Column to column of the pairs' first elements: 2 where pairs are neighbours, else 1.</summary>
    internal int Step;

    /// <summary>From a pair's first element to its second: 1 where pairs are neighbours, else <see cref="Pairs"/>.</summary>
    internal int Distance;

    /// <summary>Heads side by side in rows, in place: each normalised alone where <paramref name="normSize"/> is a head's, or all together.</summary>
    /// <param name="stride">Row to row.</param>
    /// <param name="column">The first head's first column.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="headSize">Columns of a head.</param>
    /// <param name="rope">Positions, which turn a head's first columns.</param>
    /// <param name="normSize">Columns that are normalised together; 0 for no norm.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    internal static RotateShape Of(int stride, int column, int heads, int headSize, RotaryEmbedding rope, int normSize = 0, float epsilon = 0)
    {
        int unit = Math.Max(headSize, normSize);
        return new RotateShape
        {
            SourceStride = stride,
            SourceColumn = column,
            SourceUnit = unit,
            TargetStride = stride,
            TargetColumn = column,
            TargetUnit = unit,
            Units = heads * headSize / unit,
            UnitSize = unit,
            NormSize = normSize,
            Epsilon = epsilon,
            HeadSize = headSize,
        }.Turned(rope, 0);
    }

    /// <summary>Latents with their rotary keys <c>[rows, latent + rope]</c>, in place: the latent is normalised, the key rotated.</summary>
    internal static RotateShape OfLatents(LatentShape shape, RotaryEmbedding rope, float epsilon) => new RotateShape
    {
        SourceStride = shape.CacheColumns,
        TargetStride = shape.CacheColumns,
        Units = 1,
        UnitSize = shape.CacheColumns,
        NormSize = shape.LatentSize,
        Epsilon = epsilon,
        HeadSize = shape.CacheColumns,
    }.Turned(rope, shape.LatentSize);

    /// <summary>The rotary part of latent attention's queries, from <c>[rows, heads · (nope + rope)]</c> to <c>[rows, heads · (latent + rope)]</c>.</summary>
    internal static RotateShape OfLatentQueries(LatentShape shape, RotaryEmbedding rope) => new RotateShape
    {
        SourceStride = shape.Heads * shape.QuerySize,
        SourceColumn = shape.NopeSize,
        SourceUnit = shape.QuerySize,
        TargetStride = shape.Heads * shape.CacheColumns,
        TargetColumn = shape.LatentSize,
        TargetUnit = shape.CacheColumns,
        Units = shape.Heads,
        UnitSize = shape.RopeSize,
        HeadSize = shape.RopeSize,
    }.Turned(rope, 0);

    /// <summary>
    /// The part without positions of latent attention's queries, from <c>[rows, heads · (nope + rope)]</c> to <c>[rows, heads · nope]</c>: nothing
    /// is turned.
    /// </summary>
    internal static RotateShape OfNope(LatentShape shape) => new()
    {
        SourceStride = shape.Heads * shape.QuerySize,
        SourceUnit = shape.QuerySize,
        TargetStride = shape.Heads * shape.NopeSize,
        TargetUnit = shape.NopeSize,
        Units = shape.Heads,
        UnitSize = shape.NopeSize,
        HeadSize = shape.NopeSize,
        Step = 1,
    };

    private readonly RotateShape Turned(RotaryEmbedding rope, int column)
    {
        RotateShape turned = this;
        turned.RotaryColumn = column;
        turned.Pairs = rope.Dimensions / 2;
        turned.Step = rope.PairsAdjacent ? 2 : 1;
        turned.Distance = rope.PairsAdjacent ? 1 : turned.Pairs;
        return turned;
    }
}
