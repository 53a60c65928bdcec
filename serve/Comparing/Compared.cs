using System.Buffers.Binary;
using Pure.Engine.Formats;
using Pure.Engine.Models;
using Pure.Engine.Reference;

namespace Pure.Serve.Comparing;

/// <summary>A file that takes part in a comparison: a trace, or rows of logits without a header.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Content">Its tensors; of a logits file the one called <c>logits</c>.</param>
internal sealed record Compared(string Path, TraceFile Content)
{
    /// <summary>Columns of its logits, or null where it has none.</summary>
    internal int? Vocabulary => Content.Trace.Tensors.FirstOrDefault(tensor => tensor.Name == TraceName.Logits)?.Columns;

    /// <summary>The tokens that it says it was made from, or null.</summary>
    internal string? Tokens => Content.Metadata.GetValueOrDefault("tokens")?.Replace(" ", "", StringComparison.Ordinal);

    /// <summary>Opens both files; a vocabulary that is not given may come from the one that is a trace.</summary>
    /// <exception cref="UsageException">One is no trace, and nothing says how long its rows are.</exception>
    internal static (Compared Ours, Compared Theirs) Open(string ours, string theirs, int? vocabulary)
    {
        Compared? first = IsTrace(ours) ? OpenTrace(ours) : null;
        Compared? second = IsTrace(theirs) ? OpenTrace(theirs) : null;
        vocabulary ??= first?.Vocabulary ?? second?.Vocabulary;
        return (first ?? OpenLogits(ours, vocabulary), second ?? OpenLogits(theirs, vocabulary));
    }

    /// <summary>Rows of the embedding in a model's file, which are the columns of its logits.</summary>
    internal static int VocabularyOf(string model)
    {
        using ModelFile file = ModelFile.Open(model);
        return file.TryGetTensor("token_embd.weight", out Tensor? embedding) && embedding.Shape is [<= int.MaxValue and var rows, _]
            ? (int)rows
            : throw new UsageException($"{model} has no embedding to tell the vocabulary by; give it with --vocab N.");
    }

    private static Compared OpenTrace(string path) => new(path, TraceFile.Read(path));

    /// <summary>
    /// A safetensors file begins with the length of its header, then a brace. Two floats that look like a length within the file
    /// would be denormals.
    /// </summary>
    private static bool IsTrace(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            Span<byte> start = stackalloc byte[sizeof(ulong) + 1];
            return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
                && BinaryPrimitives.ReadUInt64LittleEndian(start) <= (ulong)file.Length && start[^1] == '{';
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {error.Message.TrimEnd('.')}.");
        }
    }

    private static Compared OpenLogits(string path, int? vocabulary)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (vocabulary is not { } columns)
        {
            throw new UsageException(
                $"{path} is no safetensors file; if it holds rows of 32-bit logits, say how long a row is with --vocab N or --model MODEL.");
        }

        long rowBytes = sizeof(float) * (long)columns;
        if (bytes.Length == 0 || bytes.Length % rowBytes != 0)
        {
            throw new UsageException(
                $"{path} has {bytes.Length} bytes, expected a whole number of rows of {rowBytes} ({columns} 32-bit logits); it is cut off, or --vocab is wrong.");
        }

        var trace = new Trace();
        var row = new double[columns];
        for (int start = 0; start < bytes.Length; start += (int)rowBytes)
        {
            for (int column = 0; column < columns; column++)
                row[column] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(start + (column * sizeof(float))));
            trace.Add(TraceName.Logits, row);
        }

        return new Compared(path, new TraceFile(trace, new Dictionary<string, string>()));
    }
}
