using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.Gguf;

/// <summary>
/// The table of tensors, checked against the file: after it a tensor's bytes exist, are its own, and are as many as type and shape
/// say.
/// </summary>
internal static class GgufTensors
{
    /// <summary>Name (8 + 1), dimensions (4 + 8), type (4), offset (8).</summary>
    internal const int LeastEntryBytes = 33;

    private const int MaxDimensions = 4;

    /// <summary>One line of the table. <paramref name="Offset"/> counts from the start of the tensor data.</summary>
    private readonly record struct Line(string Name, ElementType Type, long[] Shape, long Bytes, ulong Offset);

    /// <summary>Reads <paramref name="count"/> lines at the cursor.</summary>
    public static Tensor[] Read(ref GgufCursor cursor, NativeView view, ulong count, long alignment)
    {
        cursor.Within = "the header";
        var lines = new Line[cursor.Count(count, LeastEntryBytes, "tensors")];
        for (int i = 0; i < lines.Length; i++)
            lines[i] = ReadLine(ref cursor, i, lines.Length, alignment);
        return Place(view, lines, cursor.Position, alignment, cursor.File);
    }

    private static Line ReadLine(ref GgufCursor cursor, int index, int count, long alignment)
    {
        cursor.Within = $"line {index + 1} of {count} of the tensor table";
        string name = cursor.String();
        string tensor = $"{cursor.File}: tensor {FileText.Quote(name)}";
        cursor.Within = $"the table's line for tensor {FileText.Quote(name)}";
        if (name.Length == 0)
            throw new ModelFormatException($"{tensor} (number {index + 1} of {count}) has no name; the file is damaged: download it again.");

        uint dimensions = cursor.UInt32();
        if (dimensions is 0 or > MaxDimensions)
        {
            throw new ModelFormatException(
                $"{tensor} has {dimensions} dimensions, expected 1 to {MaxDimensions}; the file is damaged: download it again.");
        }

        // The file lists the fastest dimension first.
        long[] shape = new long[dimensions];
        for (int d = shape.Length - 1; d >= 0; d--)
        {
            ulong size = cursor.UInt64();
            if (size is 0 or > long.MaxValue)
            {
                throw new ModelFormatException(
                    $"{tensor} has a dimension of size {size}, expected 1 to 2^63 - 1; the file is damaged: download it again.");
            }

            shape[d] = (long)size;
        }

        uint typeNumber = cursor.UInt32();
        var format = GgmlTypes.Find(typeNumber) ?? throw new ModelFormatException(
            $"{tensor} has element type {GgmlTypes.Describe(typeNumber)}, which is not supported; use a file with " +
            $"{GgmlTypes.Supported} only.");
        long bytes = Bytes(shape, format, tensor);
        ulong offset = cursor.UInt64();
        if (offset % (ulong)alignment != 0)
        {
            throw new ModelFormatException(
                $"{tensor} begins at byte {offset} of the tensor data, which is not a multiple of the file's alignment {alignment}; " +
                "the file is damaged: download or convert it again.");
        }

        return new Line(name, format.Type, shape, bytes, offset);
    }

    /// <summary>Size in bytes, refusing what does not fit a signed 64-bit number at any step.</summary>
    private static long Bytes(long[] shape, ElementFormat format, string tensor)
    {
        long columns = shape[^1];
        if (columns % format.BlockSize != 0)
        {
            throw new ModelFormatException(
                $"{tensor} has rows of {columns} elements, expected a multiple of {format.BlockSize} for type {format.Name}; " +
                "the file was written wrongly: convert the model again.");
        }

        long bytes = format.BlockBytes;
        foreach (long size in shape.AsSpan(..^1))
            bytes = Multiply(bytes, size);
        return Multiply(bytes, columns / format.BlockSize);

        long Multiply(long left, long right) => left <= long.MaxValue / right ? left * right : throw new ModelFormatException(
            $"{tensor} of shape [{string.Join(", ", shape)}] and type {format.Name} takes 2^63 bytes or more; the file is damaged: " +
            "download it again.");
    }

    private static Tensor[] Place(NativeView view, Line[] lines, long tableEnd, long alignment, string file)
    {
        if (lines.Length == 0)
            return [];

        Line[] byOffset = [.. lines.OrderBy(line => line.Offset)];

        // The end is looked at in 128 bits: offset and size are each below 2^64.
        UInt128 dataStart = ((UInt128)tableEnd + (UInt128)alignment - 1) / (UInt128)alignment * (UInt128)alignment;
        var last = byOffset.MaxBy(line => (UInt128)line.Offset + (UInt128)line.Bytes);
        UInt128 end = dataStart + last.Offset + (UInt128)last.Bytes;
        if (end > (UInt128)view.Length)
        {
            throw new ModelFormatException(
                $"{file}: tensor {FileText.Quote(last.Name)} ends at byte {end}, {end - (UInt128)view.Length} bytes past the end " +
                $"of the file at {view.Length}; the file is truncated: download it again.");
        }

        for (int i = 1; i < byOffset.Length; i++)
        {
            var (before, line) = (byOffset[i - 1], byOffset[i]);
            if ((UInt128)before.Offset + (UInt128)before.Bytes > line.Offset)
            {
                throw new ModelFormatException(
                    $"{file}: tensor {FileText.Quote(line.Name)} begins at byte {(ulong)dataStart + line.Offset}, inside tensor " +
                    $"{FileText.Quote(before.Name)}, which ends at byte {(ulong)dataStart + before.Offset + (ulong)before.Bytes}; " +
                    "the file is damaged: download or convert it again.");
            }
        }

        return Array.ConvertAll(lines, line => new Tensor(
            line.Name, line.Type, line.Shape, view.Slice((long)dataStart + (long)line.Offset, line.Bytes), file));
    }
}
