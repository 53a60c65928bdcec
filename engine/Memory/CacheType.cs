using Pure.Engine.Quantization;

namespace Pure.Engine.Memory;

/// <summary>How keys and values are stored. Each type is its own function: the choice shows in the bits.</summary>
public enum CacheType
{
    /// <summary>16-bit IEEE floats, rounded to nearest even.</summary>
    F16,

    /// <summary>32-bit floats.</summary>
    F32,

    /// <summary>16-bit floats with the range of 32-bit ones (bfloat16), rounded to nearest even.</summary>
    BF16,

    /// <summary>Blocks of 32 at 8 bits with one scale.</summary>
    Q8_0,

    /// <summary>Blocks of 32 at 4 bits with one scale.</summary>
    Q4_0,
}

/// <summary>Cache types as element types.</summary>
internal static class CacheTypes
{
    /// <summary>The format of the elements.</summary>
    internal static ElementFormat Format(this CacheType type) => ElementFormat.Of(type switch
    {
        CacheType.F16 => ElementType.F16,
        CacheType.F32 => ElementType.F32,
        CacheType.BF16 => ElementType.BF16,
        CacheType.Q8_0 => ElementType.Q8_0,
        CacheType.Q4_0 => ElementType.Q4_0,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a cache type."),
    });

    /// <summary>The word that <c>--kv-type</c> takes.</summary>
    internal static string Word(this CacheType type) => type.ToString().ToLowerInvariant();
}
