using Pure.Engine.Layers;

namespace Pure.Gpu.Kernels;

/// <summary>
/// What a layer's attention reads. Grouped-query attention has keys and then values of each key/value head; latent attention has one
/// key/value head, whose values are the first columns of its keys.
/// </summary>
internal struct AttentionShape
{
    /// <summary>Query heads.</summary>
    internal int Heads;

    /// <summary>Query heads per key/value head.</summary>
    internal int Sharing;

    /// <summary>Columns of a query or key, a multiple of eight.</summary>
    internal int KeySize;

    /// <summary>Columns of a value, a multiple of eight.</summary>
    internal int ValueSize;

    /// <summary>The first value's first column in a row of the cache.</summary>
    internal int ValueColumn;

    /// <summary>Columns of a row of the cache.</summary>
    internal int Columns;

    /// <summary>Positions that a query sees, its own included; 0 for all.</summary>
    internal int Window;

    /// <summary>Whether each head has a score that takes part in the softmax without a position.</summary>
    internal int HasSinks;

    /// <summary>Factor on the scores.</summary>
    internal float Scale;

    /// <summary>Lanes that share a dot product: a power of two. Depends on the device, and is set by whoever launches.</summary>
    internal int DotLanes;

    /// <summary>Grouped-query attention.</summary>
    internal static AttentionShape Of(GroupedQueryShape shape, double scale, int window, bool hasSinks) => new()
    {
        Heads = shape.Heads,
        Sharing = shape.Heads / shape.KvHeads,
        KeySize = shape.KeySize,
        ValueSize = shape.ValueSize,
        ValueColumn = shape.KvHeads * shape.KeySize,
        Columns = shape.CacheColumns,
        Window = window,
        HasSinks = hasSinks ? 1 : 0,
        Scale = (float)scale,
    };

    /// <summary>Latent attention in absorbed form: all heads read the same latents, which are keys and values.</summary>
    internal static AttentionShape Of(LatentShape shape, double scale) => new()
    {
        Heads = shape.Heads,
        Sharing = shape.Heads,
        KeySize = shape.CacheColumns,
        ValueSize = shape.LatentSize,
        Columns = shape.CacheColumns,
        Scale = (float)scale,
    };

    /// <summary>Whether the kernels have this size: those of heads and latents are multiples of eight up to DeepSeek's.</summary>
    internal readonly bool IsSupported => KeySize % 8 == 0 && ValueSize % 8 == 0
        && KeySize <= AttentionKernel.MaxKeySize && ValueSize <= AttentionKernel.MaxValueSize;

    /// <summary>The first position that a query at <paramref name="position"/> sees.</summary>
    internal readonly int FirstVisible(int position) => Window == 0 || position < Window ? 0 : position + 1 - Window;
}
