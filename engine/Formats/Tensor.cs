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
/// <param name="Parts">
/// The bytes: in one piece, or in as many equal pieces as the slowest dimension has (experts that a file stores one by one).
/// </param>
/// <param name="File">The file it lies in, for messages.</param>
public sealed record Tensor(string Name, ElementType Type, IReadOnlyList<long> Shape, IReadOnlyList<NativeView> Parts, string File)
{
    /// <summary>A tensor in one piece.</summary>
    public Tensor(string name, ElementType type, IReadOnlyList<long> shape, NativeView data, string file)
        : this(name, type, shape, [data], file)
    {
    }

    /// <summary>
    /// For each part, the input that each stored column multiplies <c>[columns]</c>, or null for inputs in order; null where all are.
    /// Only files that scatter the inputs of a group have it (GPTQ's act-order): their columns are stored group by group.
    /// </summary>
    internal IReadOnlyList<int[]?>? ColumnOrders { get; init; }

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Number of bytes.</summary>
    public long Bytes => Parts.Sum(part => part.Length);

    /// <summary>The bytes of a tensor in one piece.</summary>
    /// <exception cref="InvalidOperationException">There are several pieces.</exception>
    public NativeView Data => Parts.Count == 1
        ? Parts[0]
        : throw new InvalidOperationException($"Tensor '{Name}' lies in {Parts.Count} pieces.");
}
