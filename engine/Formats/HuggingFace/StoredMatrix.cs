using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>A weight in a form that the engine computes with, in the folder's layout.</summary>
/// <param name="Type">How elements are stored.</param>
/// <param name="Shape">Sizes, slowest dimension first.</param>
/// <param name="Pieces">The bytes: in one piece, or one for each matrix.</param>
/// <param name="File">The file it came from, for messages.</param>
internal sealed record StoredMatrix(ElementType Type, long[] Shape, NativeView[] Pieces, string File)
{
    /// <summary>
    /// Part <paramref name="index"/> of <paramref name="count"/> equal parts of the rows; of a stack of matrices, of each one's rows.
    /// </summary>
    internal StoredMatrix Part(int index, int count)
    {
        if (count == 1)
            return this;
        int rowsAt = Math.Max(0, Shape.Length - 2);
        if (Shape[rowsAt] % count != 0)
        {
            throw new ModelFormatException(
                $"{File}: a tensor of shape [{string.Join(", ", Shape)}] holds {count} matrices beside each other, so its rows must be a multiple of {count}; " +
                "the folder is damaged: download it again.");
        }

        long[] shape = [.. Shape];
        shape[rowsAt] /= count;
        long matrices = Shape[..rowsAt].Aggregate(1L, (product, size) => product * size);
        long bytes = Pieces[0].Length / matrices;
        var pieces = new NativeView[matrices];
        for (long matrix = 0; matrix < matrices; matrix++)
            pieces[matrix] = Pieces[0].Slice((matrix * bytes) + (index * bytes / count), bytes / count);
        return new StoredMatrix(Type, shape, pieces, File);
    }
}
