using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Pure.Engine.Memory;

namespace Pure.Engine.Formats.Safetensors;

/// <summary>
/// A safetensors file: named tensors, mapped and checked whole before anything is handed out.
/// Format: https://github.com/huggingface/safetensors#format
/// </summary>
/// <remarks>
/// <code>
/// length u64 | header, JSON of that many bytes, padded with blanks                                | data
///            | {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {…}} |
/// </code>
/// Integers are little-endian; offsets count from the start of the data, which the tensors fill without gaps. Tensors are views of
/// the mapping: they must not be used after <see cref="Dispose"/>.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly Dictionary<string, SafetensorsTensor> _byName;
    private readonly MappedFile? _file;

    private SafetensorsFile(SafetensorsHeader header, IReadOnlyList<SafetensorsTensor> tensors, long bytes, MappedFile? file)
    {
        Metadata = header.Metadata;
        Tensors = tensors;
        FileBytes = bytes;
        _file = file;
        _byName = tensors.ToDictionary(tensor => tensor.Name);
    }

    /// <summary>What the header says under <c>__metadata__</c>: free text by free keys.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>All tensors, in the order of the header.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; }

    /// <summary>Size of the file in bytes.</summary>
    public long FileBytes { get; }

    /// <summary>Opens the file at <paramref name="path"/>.</summary>
    /// <exception cref="ModelFormatException">The file is missing, no safetensors file, or damaged.</exception>
    public static SafetensorsFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            return Parse(file.View, Path.GetFileName(path), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    public bool TryGetTensor(string name, [NotNullWhen(true)] out SafetensorsTensor? tensor) => _byName.TryGetValue(name, out tensor);

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    /// <summary>Reads and checks one file that is in memory; <paramref name="name"/> is for messages.</summary>
    internal static SafetensorsFile Parse(NativeView view, string name, MappedFile? file = null)
    {
        if (view.Length < sizeof(ulong))
        {
            throw new ModelFormatException(
                $"{name}: the file has {view.Length} bytes, a safetensors file begins with a length of 8 bytes; download it again.");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(view.AsSpan(0, sizeof(ulong)));
        long rest = view.Length - sizeof(ulong);
        if (length > (ulong)rest)
        {
            throw new ModelFormatException(
                $"{name}: the header is said to have {length} bytes and {rest} follow; this is no safetensors file, or it is truncated: " +
                "download it again.");
        }

        if (length > SafetensorsHeader.Longest)
        {
            throw new ModelFormatException(
                $"{name}: the header has {length} bytes, at most {SafetensorsHeader.Longest} are read; this is no safetensors file: " +
                "check the path.");
        }

        var header = SafetensorsHeader.Read(view.AsSpan(sizeof(ulong), (int)length), name);
        long start = sizeof(ulong) + (long)length;
        CheckPlaces(header.Lines, (ulong)(view.Length - start), name);
        return new SafetensorsFile(
            header,
            [.. header.Lines.Select(line => new SafetensorsTensor(
                line.Name, line.Type, line.Shape, view.Slice(start + (long)line.Begin, (long)(line.End - line.Begin)), name))],
            view.Length,
            file);
    }

    /// <summary>Tensors follow each other without gap or overlap from the first byte of the data to the last.</summary>
    private static void CheckPlaces(IReadOnlyList<SafetensorsHeader.Line> lines, ulong dataLength, string file)
    {
        ulong end = 0;
        string before = "the header";
        foreach (var line in lines.OrderBy(line => line.Begin).ThenBy(line => line.End))
        {
            string tensor = $"{file}: tensor {FileText.Quote(line.Name)}";
            if (line.End > dataLength)
            {
                throw new ModelFormatException(
                    $"{tensor} ends at byte {line.End} of the data, which has {dataLength}; the file is truncated: download it again.");
            }

            if (line.Begin != end)
            {
                throw new ModelFormatException(
                    $"{tensor} begins at byte {line.Begin} of the data, expected {end}, where {before} ends, since tensors neither " +
                    "overlap nor leave gaps; the file is damaged: download it again.");
            }

            end = line.End;
            before = $"tensor {FileText.Quote(line.Name)}";
        }

        if (end != dataLength)
        {
            throw new ModelFormatException(
                $"{file}: the tensors end at byte {end} of the data, which has {dataLength}; the file is damaged: download it again.");
        }
    }
}
