using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>A weight in a form that the engine computes with.</summary>
/// <param name="Type">How elements are stored.</param>
/// <param name="Shape">Sizes, slowest dimension first.</param>
/// <param name="Pieces">The bytes: in one piece, or one for each matrix of a stack.</param>
/// <param name="File">The file it came from, for messages.</param>
internal sealed record StoredMatrix(ElementType Type, long[] Shape, NativeView[] Pieces, string File)
{
    /// <summary>The input that each stored column multiplies <c>[columns]</c>; null for inputs in order.</summary>
    internal int[]? ColumnOrder { get; init; }

    /// <summary>The shape, for messages: <c>[2, 3]</c>.</summary>
    internal string Sizes => $"[{string.Join(", ", Shape)}]";
}
