namespace Pure.Engine.Formats.Safetensors;

/// <summary>Element types of the format, by its own names.</summary>
public enum SafetensorsType
{
    /// <summary>A byte that is 0 or 1.</summary>
    BOOL,

    /// <summary>Unsigned byte.</summary>
    U8,

    /// <summary>Signed byte.</summary>
    I8,

    /// <summary>8-bit float: sign, 4 bits of exponent (bias 7), 3 of mantissa; no infinities.</summary>
    F8_E4M3,

    /// <summary>8-bit float: sign, 5 bits of exponent (bias 15), 2 of mantissa.</summary>
    F8_E5M2,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>16-bit IEEE float.</summary>
    F16,

    /// <summary>bfloat16.</summary>
    BF16,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>32-bit IEEE float.</summary>
    F32,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>64-bit IEEE float.</summary>
    F64,
}

/// <summary>What is known of the types.</summary>
internal static class SafetensorsTypes
{
    /// <summary>All names, for messages.</summary>
    internal static string Names { get; } = string.Join(", ", Enum.GetNames<SafetensorsType>());

    /// <summary>Bytes of one element.</summary>
    internal static int Bytes(this SafetensorsType type) => type switch
    {
        <= SafetensorsType.F8_E5M2 => 1,
        <= SafetensorsType.BF16 => 2,
        <= SafetensorsType.F32 => 4,
        _ => 8,
    };

    /// <summary>The type called <paramref name="name"/>, exactly as the format spells it; null for none.</summary>
    internal static SafetensorsType? Find(string name)
    {
        foreach (SafetensorsType type in Enum.GetValues<SafetensorsType>())
        {
            if (name == type.ToString())
                return type;
        }

        return null;
    }
}
