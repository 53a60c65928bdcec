using Pure.Engine.Memory;

namespace Pure.Engine.Formats.Gguf;

/// <summary>
/// A model in GGUF form, versions 2 and 3, in one file or several: metadata and named tensors, mapped and checked whole before
/// anything is handed out. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
/// </summary>
/// <remarks>
/// <code>
/// "GGUF"  version u32  tensors u64  keys u64
/// keys      × { name string, type u32, value }                          string = length u64, UTF-8
/// tensors   × { name string, n u32, n sizes u64 (fastest first), type u32, offset u64 }
/// padding to general.alignment (32 unless given)
/// tensor data, each tensor at its offset from here
/// </code>
/// All integers are little-endian. Tensors are views of the mapping: they must not be used after <see cref="Dispose"/>.
/// </remarks>
public sealed class GgufFile : ModelFile
{
    private const uint Magic = 'G' | ('G' << 8) | ('U' << 16) | ('F' << 24);
    private const int DefaultAlignment = 32;
    private const int StreamPiece = 1 << 30;
    private const string AlignmentKey = "general.alignment";

    private readonly Dictionary<string, Tensor> _byName;
    private readonly IReadOnlyList<IDisposable> _memory;

    private GgufFile(
        string path, uint version, GgufMetadata metadata, IReadOnlyList<Tensor> tensors, long fileBytes, IReadOnlyList<IDisposable> memory)
    {
        Path = path;
        Version = version;
        Metadata = metadata;
        Tensors = tensors;
        FileBytes = fileBytes;
        _memory = memory;
        _byName = new Dictionary<string, Tensor>(tensors.Count);
        foreach (var tensor in tensors)
        {
            if (!_byName.TryAdd(tensor.Name, tensor))
            {
                throw new ModelFormatException(
                    $"{tensor.File}: tensor {FileText.Quote(tensor.Name)} stands twice in the model; the file was written wrongly: " +
                    "convert the model again.");
            }
        }
    }

    /// <summary>The path as it was given; of a model in several files, the first.</summary>
    public override string Path { get; }

    /// <summary>Version of the format: 2 or 3.</summary>
    public uint Version { get; }

    /// <summary>Keys and values; of a model in several files, those of the first.</summary>
    public new GgufMetadata Metadata { get; }

    /// <summary>All tensors, in file order.</summary>
    public override IReadOnlyList<Tensor> Tensors { get; }

    /// <summary>Size of all files together in bytes.</summary>
    public override long FileBytes { get; }

    private protected override Metadata Keys => Metadata;

    /// <summary>
    /// Opens the model at <paramref name="path"/>. Of a model in several files (<c>name-00001-of-00003.gguf</c>) the first is
    /// named, the others are found beside it.
    /// </summary>
    /// <exception cref="ModelFormatException">The file is missing, no GGUF, damaged, or of a kind that is not supported.</exception>
    public static new GgufFile Open(string path)
    {
        var opened = new List<MappedFile>();
        try
        {
            var first = Map(path);
            var split = GgufSplit.Of(first.Metadata, path);
            if (split.Count == 1)
                return new GgufFile(path, first.Version, first.Metadata, first.Tensors, first.FileBytes, opened);

            var tensors = new List<Tensor>(first.Tensors);
            for (int part = 1; part < split.Count; part++)
            {
                var next = Map(split.PathOf(part));
                split.Check(next.Metadata, part);
                tensors.AddRange(next.Tensors);
            }

            split.CheckTensors(tensors.Count);
            return new GgufFile(path, first.Version, first.Metadata, tensors, opened.Sum(file => file.Length), opened);
        }
        catch
        {
            opened.ForEach(file => file.Dispose());
            throw;
        }

        GgufFile Map(string part)
        {
            opened.Add(MappedFile.Open(part));
            return Parse(opened[^1].View, System.IO.Path.GetFileName(part));
        }
    }

    /// <summary>
    /// Reads a model that is no file (a resource, an entry of an archive) into memory, from where the stream stands to its end.
    /// </summary>
    /// <param name="stream">A stream that knows its length; it stays the caller's.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="ModelFormatException">It is no GGUF, damaged, or of a kind that is not supported.</exception>
    /// <exception cref="InvalidRequestException">The machine has not that much memory.</exception>
    public static GgufFile Open(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var buffer = new AlignedBuffer<byte>(stream.Length - stream.Position);
        try
        {
            for (long offset = 0; offset < buffer.Length; offset += StreamPiece)
                stream.ReadExactly(buffer.Writable(offset, (int)Math.Min(StreamPiece, buffer.Length - offset)));
            return Parse(buffer, name);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Makes a model that never was a file: what <paramref name="writer"/> writes, kept in memory.</summary>
    /// <param name="writer">The model.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="InvalidRequestException">The machine has not that much memory.</exception>
    public static GgufFile Open(GgufWriter writer, string name)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var buffer = new AlignedBuffer<byte>(writer.Length);
        try
        {
            using (Stream stream = buffer.OpenWrite())
                writer.Write(stream);
            return Parse(buffer, name);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    public override bool TryGetTensor(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Tensor? tensor) =>
        _byName.TryGetValue(name, out tensor);

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var owner in _memory)
            owner.Dispose();
    }

    /// <summary>Reads and checks one file that is in memory; <paramref name="name"/> is for messages.</summary>
    internal static GgufFile Parse(NativeView view, string name)
    {
        var cursor = new GgufCursor(view, name);
        uint magic = cursor.UInt32();
        if (magic != Magic)
        {
            throw new ModelFormatException(
                $"{name}: the file begins with the bytes {Convert.ToHexString(BitConverter.GetBytes(magic))}, a GGUF file begins with " +
                "47475546 (\"GGUF\"); give a GGUF model.");
        }

        uint version = cursor.UInt32();
        CheckVersion(version, name);
        ulong tensorCount = cursor.UInt64();
        ulong keyCount = cursor.UInt64();
        var metadata = GgufMetadata.Read(ref cursor, view, keyCount);
        var tensors = GgufTensors.Read(ref cursor, view, tensorCount, Alignment(metadata));
        return new GgufFile(name, version, metadata, tensors, view.Length, []);
    }

    private static GgufFile Parse(AlignedBuffer<byte> buffer, string name)
    {
        var file = Parse(buffer.View, name);
        return new GgufFile(name, file.Version, file.Metadata, file.Tensors, file.FileBytes, [buffer]);
    }

    private static void CheckVersion(uint version, string name)
    {
        if (version is 2 or 3)
            return;

        // A big-endian file has the same magic and its version's bytes the other way round.
        if (version is 0x0200_0000 or 0x0300_0000)
        {
            throw new ModelFormatException(
                $"{name}: the file is big-endian (written for s390x or the like), little-endian is expected; download the usual file.");
        }

        throw new ModelFormatException(
            $"{name}: the file is GGUF version {version}, versions 2 and 3 are supported; " +
            (version is 0 or 1 ? "convert the model again with a newer converter." : "download it again, or update Pure."));
    }

    private static long Alignment(GgufMetadata metadata)
    {
        long alignment = metadata.FindInteger(AlignmentKey) ?? DefaultAlignment;
        if (alignment is < 8 or > int.MaxValue || !long.IsPow2(alignment))
        {
            throw new ModelFormatException(
                $"{metadata.File}: key '{AlignmentKey}' is {alignment}, expected a power of two from 8 up; the file is damaged: " +
                "download it again.");
        }

        return alignment;
    }
}
