using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>Layouts of weights that differ from the model's, each made into it without changing a number.</summary>
internal static class Layouts
{
    /// <summary>
    /// One of two matrices that lie beside each other in the rows, above one another or in turns; of a stack, in each of its matrices.
    /// The first is a view, the second a copy.
    /// </summary>
    /// <param name="joint"><c>[…, rows, columns]</c>, or vectors <c>[…, rows]</c>; in one piece.</param>
    /// <param name="areVectors">Whether they are vectors.</param>
    /// <param name="index">Which: 0 or 1.</param>
    /// <param name="alternate">Whether rows alternate.</param>
    /// <param name="memory">Owns what is copied.</param>
    internal static StoredMatrix Half(StoredMatrix joint, bool areVectors, int index, bool alternate, List<IDisposable> memory)
    {
        int rowsAt = joint.Shape.Length - (areVectors ? 1 : 2);
        long rows = rowsAt < 0 ? 1 : joint.Shape[rowsAt];
        if (rows % 2 != 0)
        {
            throw new ModelFormatException(
                $"{joint.File}: a tensor of shape {joint.Sizes} should hold two matrices beside each other, with as many rows each; " +
                "the folder is damaged: download it again.");
        }

        long[] shape = [.. joint.Shape];
        shape[rowsAt] /= 2;
        long matrices = joint.Shape[..rowsAt].Aggregate(1L, (product, size) => product * size);
        long half = joint.Pieces[0].Length / matrices / 2;
        if (!alternate)
        {
            var views = new NativeView[matrices];
            for (long matrix = 0; matrix < matrices; matrix++)
                views[matrix] = joint.Pieces[0].Slice(((2 * matrix) + index) * half, half);
            return joint with { Shape = shape, Pieces = views };
        }

        int rowBytes = checked((int)(2 * half / rows));
        AlignedBuffer<byte> copy = Own(new AlignedBuffer<byte>(matrices * half), memory);
        for (long row = 0; row < matrices * shape[rowsAt]; row++)
            joint.Pieces[0].AsSpan(((2 * row) + index) * rowBytes, rowBytes).CopyTo(copy.Writable(row * rowBytes, rowBytes));
        return joint with { Shape = shape, Pieces = [copy.View] };
    }

    /// <summary>Matrices <c>[…, columns, rows]</c> as <c>[…, rows, columns]</c>.</summary>
    internal static StoredMatrix Transpose(StoredMatrix stored, List<IDisposable> memory)
    {
        if (stored.Shape.Length < 2)
            throw new ModelFormatException($"{stored.File}: a matrix was expected and a tensor of shape {stored.Sizes} found; the folder is damaged: download it again.");
        long columns = stored.Shape[^2];
        long rows = stored.Shape[^1];
        int element = ElementFormat.Of(stored.Type).BlockBytes;
        NativeView from = stored.Pieces[0];
        AlignedBuffer<byte> copy = Own(new AlignedBuffer<byte>(from.Length), memory);
        int rowBytes = checked((int)(columns * element));
        for (long matrix = 0; matrix < from.Length; matrix += rows * rowBytes)
        {
            for (long row = 0; row < rows; row++)
            {
                Span<byte> to = copy.Writable(matrix + (row * rowBytes), rowBytes);
                for (int column = 0; column < columns; column++)
                    from.AsSpan(matrix + (((column * rows) + row) * element), element).CopyTo(to[(column * element)..]);
            }
        }

        return stored with { Shape = [.. stored.Shape[..^2], rows, columns], Pieces = [copy.View] };
    }

    /// <summary>A matrix <c>[1, columns]</c>, as a linear layer with one output has it, as a vector <c>[columns]</c>.</summary>
    internal static StoredMatrix Row(StoredMatrix stored) => stored.Shape is [1, var columns]
        ? stored with { Shape = [columns] }
        : throw new ModelFormatException(
            $"{stored.File}: a matrix of one row was expected and a tensor of shape {stored.Sizes} found; the folder is damaged: download it again.");

    /// <summary>A vector of gains that is stored with 1 subtracted, as floats.</summary>
    internal static StoredMatrix AddOne(StoredMatrix stored, List<IDisposable> memory)
    {
        if (stored.Shape.Length != 1)
            throw new ModelFormatException($"{stored.File}: a vector was expected and a tensor of shape {stored.Sizes} found; the folder is damaged: download it again.");
        AlignedBuffer<float> gains = Own(new AlignedBuffer<float>(stored.Shape[0]), memory);
        ElementFormat.Of(stored.Type).Dequantize(stored.Pieces[0], gains.Span);
        foreach (ref float gain in gains.Span)
            gain += 1;
        return stored with { Type = ElementType.F32, Pieces = [gains.View] };
    }

    /// <summary>Hands <paramref name="buffer"/> to the file that will dispose it.</summary>
    internal static AlignedBuffer<T> Own<T>(AlignedBuffer<T> buffer, List<IDisposable> memory)
        where T : unmanaged
    {
        memory.Add(buffer);
        return buffer;
    }
}
