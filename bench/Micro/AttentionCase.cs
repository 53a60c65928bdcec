using Pure.Engine.Kernels;
using Pure.Engine.Memory;

namespace Pure.Bench.Micro;

/// <summary>Attention over one block-paged span of the cache.</summary>
public sealed record AttentionCase(Isa Isa, CacheType CacheType) : IWork
{
    /// <summary>Positions looked at.</summary>
    public const int Positions = 1024;

    /// <summary>Elements of a head.</summary>
    public const int HeadSize = 128;

    /// <summary>Every case that this processor can compute, of the types that meet a query as they are stored.</summary>
    public static IEnumerable<AttentionCase> All =>
        from isa in KernelSet.Supported
        from type in (CacheType[])[CacheType.F32, CacheType.F16, CacheType.BF16]
        select new AttentionCase(isa, type);

    /// <inheritdoc/>
    public Work Work => new(2.0 * Positions * HeadSize, Positions * HeadSize * (CacheType == CacheType.F32 ? 4.0 : 2.0));

    /// <inheritdoc/>
    public override string ToString() => $"{KernelSet.Name(Isa)} {CacheType}".ToLowerInvariant();
}
