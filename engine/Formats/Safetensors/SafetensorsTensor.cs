using Pure.Engine.Memory;

namespace Pure.Engine.Formats.Safetensors;

/// <summary>
/// A named array in a safetensors file, mapped and not copied. Its data lies within the file and is exactly as long as type and
/// shape say.
/// </summary>
/// <param name="Name">Name in the file, such as <c>model.norm.weight</c>.</param>
/// <param name="Type">How elements are stored.</param>
/// <param name="Shape">Sizes, slowest dimension first; none for a single number, and a size may be 0.</param>
/// <param name="Data">The bytes, little-endian.</param>
/// <param name="File">The file it lies in, for messages.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, NativeView Data, string File)
{
    /// <summary>File and name, as a sentence about it begins.</summary>
    internal string Place => $"{File}: tensor {FileText.Quote(Name)}";

    /// <summary>The shape, for messages: <c>[2, 3]</c>.</summary>
    internal string Sizes => $"[{string.Join(", ", Shape)}]";
}
