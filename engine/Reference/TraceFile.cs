using System.Buffers.Binary;
using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Reference;

/// <summary>A trace as a safetensors file: a tensor of floats <c>[positions, width]</c> for each name.</summary>
/// <param name="Trace">The tensors.</param>
/// <param name="Metadata">What the file says about itself: <c>model</c>, <c>tokens</c> (ids separated by commas), …</param>
public sealed record TraceFile(Trace Trace, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Writes it.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="type">F32, which holds a trace of the engine exactly, or F64.</param>
    public void Write(Stream output, SafetensorsType type)
    {
        if (type is not (SafetensorsType.F32 or SafetensorsType.F64))
            throw new ArgumentOutOfRangeException(nameof(type), type, "Traces are written as F32 or F64.");
        SafetensorsWriter.Write(
            output,
            [.. Trace.Tensors.Select(tensor => new SafetensorsContent(
                tensor.Name, type, [tensor.Rows, tensor.Columns], stream => WriteRows(tensor, stream, type)))],
            Metadata);
    }

    /// <summary>
    /// Reads a trace of any engine. The first dimension counts positions, after leading ones of size 1 in tensors of more than two; a
    /// vector is one position. Tensors that are not floats are left out.
    /// </summary>
    /// <exception cref="ModelFormatException">The file is missing or damaged.</exception>
    public static TraceFile Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var trace = new Trace();
        foreach (SafetensorsTensor tensor in file.Tensors)
        {
            if (ElementBytes(tensor.Type) is { } bytes)
                ReadRows(tensor, bytes, trace);
        }

        return new TraceFile(trace, file.Metadata);
    }

    private static void WriteRows(TracedTensor tensor, Stream output, SafetensorsType type)
    {
        int size = type == SafetensorsType.F32 ? sizeof(float) : sizeof(double);
        var bytes = new byte[tensor.Columns * size];
        for (int row = 0; row < tensor.Rows; row++)
        {
            for (int column = 0; column < tensor.Columns; column++)
            {
                Span<byte> element = bytes.AsSpan(column * size);
                if (type == SafetensorsType.F32)
                    BinaryPrimitives.WriteSingleLittleEndian(element, (float)tensor[row][column]);
                else
                    BinaryPrimitives.WriteDoubleLittleEndian(element, tensor[row][column]);
            }

            output.Write(bytes);
        }
    }

    private static void ReadRows(SafetensorsTensor tensor, int bytes, Trace trace)
    {
        long[] shape = [.. tensor.Shape.SkipWhile((size, index) => size == 1 && tensor.Shape.Count - index > 2)];
        long rows = shape.Length < 2 ? 1 : shape[0];
        long columns = shape.Skip(shape.Length < 2 ? 0 : 1).Aggregate(1L, (product, size) => product * size);
        if (rows == 0 || columns == 0)
            return;
        if (columns > Array.MaxLength / bytes)
        {
            throw new ModelFormatException(
                $"{tensor.File}: tensor '{tensor.Name}' has {columns} numbers per position, at most {Array.MaxLength / bytes} are compared; " +
                "give the position its own dimension.");
        }

        var row = new double[columns];
        for (long index = 0; index < rows; index++)
        {
            ReadOnlySpan<byte> data = tensor.Data.AsSpan(index * columns * bytes, (int)columns * bytes);
            for (int column = 0; column < row.Length; column++)
                row[column] = Element(tensor.Type, data.Slice(column * bytes, bytes));
            trace.Add(tensor.Name, row);
        }
    }

    private static int? ElementBytes(SafetensorsType type) => type switch
    {
        SafetensorsType.F64 => 8,
        SafetensorsType.F32 => 4,
        SafetensorsType.F16 or SafetensorsType.BF16 => 2,
        _ => null,
    };

    private static double Element(SafetensorsType type, ReadOnlySpan<byte> bytes) => type switch
    {
        SafetensorsType.F64 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        SafetensorsType.F32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        SafetensorsType.F16 => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        _ => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(bytes) << 16),
    };
}
