using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats;

/// <summary>
/// A named array in a model file, mapped and not copied. Everything about it was checked when the file was opened: the data lies
/// within the file and is exactly as long as type and shape say.
/// </summary>
/// <param name="Name">Name in the file, such as <c>blk.0.attn_q.weight</c>.</param>
/// <param name="Type">How elements are stored.</param>
/// <param name="Shape">
/// Sizes, slowest dimension first: a matrix is <c>[rows, columns]</c>, experts are <c>[experts, rows, columns]</c>. (GGUF lists
/// them the other way round.) A row is contiguous.
/// </param>
/// <param name="Data">The bytes.</param>
/// <param name="File">The file it lies in, for messages.</param>
public sealed record Tensor(string Name, ElementType Type, IReadOnlyList<long> Shape, NativeView Data, string File)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}
