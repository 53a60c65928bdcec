namespace Pure.Engine.Formats.Gguf;

/// <summary>Sizes and plain names of the metadata types.</summary>
internal static class GgufValueTypes
{
    /// <summary>Bytes of one value of a type whose values all have the same size.</summary>
    public static int Size(this GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Boolean => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Strings and arrays have no fixed size."),
    };

    /// <summary>The fewest bytes that one value takes: an empty string is its length, an empty array its type and count.</summary>
    public static int LeastBytes(this GgufValueType type) => type switch
    {
        GgufValueType.String => sizeof(ulong),
        GgufValueType.Array => sizeof(uint) + sizeof(ulong),
        _ => type.Size(),
    };

    public static bool IsInteger(this GgufValueType type) => type
        is GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.UInt16 or GgufValueType.Int16
        or GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.UInt64 or GgufValueType.Int64;

    public static bool IsFloat(this GgufValueType type) => type is GgufValueType.Float32 or GgufValueType.Float64;

    /// <summary>With its article, for messages.</summary>
    public static string Phrase(this GgufValueType type) => type switch
    {
        GgufValueType.Boolean => "a boolean",
        GgufValueType.String => "a string",
        GgufValueType.Array => "an array",
        _ when type.IsFloat() => "a number",
        _ => "an integer",
    };

    /// <summary>In the plural, for messages about arrays.</summary>
    public static string Plural(this GgufValueType type) => type switch
    {
        GgufValueType.Boolean => "booleans",
        GgufValueType.String => "strings",
        GgufValueType.Array => "arrays",
        _ when type.IsFloat() => "numbers",
        _ => "integers",
    };
}
