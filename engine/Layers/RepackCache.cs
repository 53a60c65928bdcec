using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>
/// A file with a model's weights as they were rearranged, which the next load maps instead of rearranging them again. It is used if its header
/// is whole and says that it was made from this file and in this layout, and is made anew otherwise. The weights themselves are compared with
/// their checksums when a layer first uses them, which costs as much as reading them once: what is damaged is rearranged from the model's file.
/// So no damage gives wrong numbers, and loading reads the header alone.
/// </summary>
/// <remarks>
/// <code>
/// "PurePack"  version u32  rows of a group u32
/// SHA-256 of what packing makes of a known pattern, for each element type among the matrices
/// SHA-256 of the source: its files' sizes, times and samples, and every matrix's type and shape
/// length of this file u64  matrices u32  checksums u32
/// checksums   × u64, of pieces of 1 MiB, each matrix beginning a new piece
/// SHA-256 of all before
/// matrices, each at a multiple of 4096, in the order in which the model reads them
/// </code>
/// All integers are little-endian. The layout is the same for all instruction sets.
/// </remarks>
internal sealed class RepackCache : IDisposable
{
    /// <summary>What a cache is called after the model's file, or folder.</summary>
    internal const string Suffix = ".pure-x16";

    private const uint Version = 1;
    private const int HashBytes = 32;
    private const int RowsOffset = 12;
    private const int LayoutOffset = 16;
    private const int SourceOffset = LayoutOffset + HashBytes;
    private const int LengthOffset = SourceOffset + HashBytes;
    private const int ChecksumsOffset = LengthOffset + 16;
    private const int Alignment = 4096;
    private const long PieceBytes = 1 << 20;
    private const int Samples = 128;

    private readonly string _path;
    private readonly Cpu _cpu;
    private readonly Action<string>? _warn;
    private readonly byte[] _header;
    private MappedFile? _file;
    private int _isDamaged;

    private RepackCache(string path, byte[] header, Cpu cpu, Action<string>? warn)
    {
        _path = path;
        _header = header;
        _cpu = cpu;
        _warn = warn;
    }

    /// <summary>Lets matrices take their rearranged form from the cache; where there is none, or another, rearranges them now and makes it.</summary>
    /// <param name="model">The model's file, or folder.</param>
    /// <param name="folder">Where the cache is; empty for beside the model.</param>
    /// <param name="linears">All matrices that are multiplied with.</param>
    /// <param name="cpu">What computes.</param>
    /// <param name="warn">Told why a cache is not used, or cannot be made.</param>
    /// <returns>The cache, to be disposed after the matrices; null where it is not used.</returns>
    internal static RepackCache? Use(string model, string folder, IEnumerable<Linear> linears, Cpu cpu, Action<string>? warn)
    {
        Linear[] cached = [.. linears.Where(linear => linear.IsCacheable)];
        if (cached.Length == 0)
        {
            warn?.Invoke($"{model}: no rearranged weights are kept, as none are rearranged from a file; leave out --repack-cache.");
            return null;
        }

        string path = PathOf(model, folder);
        try
        {
            var cache = new RepackCache(path, new byte[HeaderBytes(cached)], cpu, warn);
            cache.Describe(cached);
            if (cache.TryOpen())
            {
                cache.Lend(cached);
                return cache;
            }

            cache.Make(cached);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ModelFormatException)
        {
            warn?.Invoke($"{path}: the rearranged weights are not kept ({exception.Message.TrimEnd('.')}); the model runs without.");
        }

        return null;
    }

    /// <summary>Where a model's cache is.</summary>
    internal static string PathOf(string model, string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(model));
        if (folder.Length == 0)
            return full + Suffix;

        // Models of one name lie in different folders.
        string place = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(full)).AsSpan(0, 4));
        return Path.Combine(folder, $"{Path.GetFileName(full)}-{place}{Suffix}");
    }

    /// <summary>A rearranged matrix, mapped or copied; null where it is damaged.</summary>
    /// <param name="offset">Where the file has it.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="firstPiece">The first of its checksums.</param>
    internal NativeView? Take(long offset, long bytes, int firstPiece)
    {
        NativeView stored = _file!.View.Slice(offset, bytes);
        NativeView place = _cpu.Memory.Map ? stored : _cpu.Copy(stored);
        var wrong = new int[1];
        ulong[] sums = new ulong[Pieces(place.Length)];
        _cpu.Pool.Run(new SumJob(place, sums), sums.Length, grain: 1);
        for (int piece = 0; piece < sums.Length; piece++)
        {
            if (sums[piece] != BinaryPrimitives.ReadUInt64LittleEndian(_header.AsSpan(ChecksumsOffset + ((firstPiece + piece) * sizeof(ulong)))))
            {
                WarnOfDamage();
                return null;
            }
        }

        return place;
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private static int Pieces(long bytes) => (int)((bytes + PieceBytes - 1) / PieceBytes);

    private static int HeaderBytes(Linear[] cached) =>
        checked(ChecksumsOffset + (cached.Sum(linear => Pieces(linear.LoadedBytes)) * sizeof(ulong)) + HashBytes);

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private Span<byte> HeaderHash => _header.AsSpan(_header.Length - HashBytes);

    /// <summary>Where each matrix lies, in order, and at last the length of the file.</summary>
    private IEnumerable<long> Offsets(Linear[] cached)
    {
        long offset = Aligned(_header.Length);
        foreach (Linear linear in cached)
        {
            yield return offset;
            offset += Aligned(linear.LoadedBytes);
        }

        yield return offset;
    }

    private void Lend(Linear[] cached)
    {
        int piece = 0;
        foreach ((Linear linear, long offset) in cached.Zip(Offsets(cached)))
        {
            linear.TakeFrom(this, offset, piece);
            piece += Pieces(linear.LoadedBytes);
        }
    }

    private void WarnOfDamage()
    {
        if (Interlocked.Exchange(ref _isDamaged, 1) != 0)
            return;
        bool isGone = true;
        try
        {
            File.Delete(_path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            isGone = false;
        }

        _warn?.Invoke(
            $"{_path}: rearranged weights are damaged; they are rearranged again from the model's file"
            + (isGone ? ", and the next load makes the cache anew." : "; delete this file."));
    }

    /// <summary>Fills the header but for checksums and hash.</summary>
    private void Describe(Linear[] cached)
    {
        "PurePack"u8.CopyTo(_header);
        BinaryPrimitives.WriteUInt32LittleEndian(_header.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(_header.AsSpan(RowsOffset), PackedMatrix.GroupRows);
        HashLayout(cached.Select(linear => linear.Weights.Type).Distinct().Order()).CopyTo(_header, LayoutOffset);
        HashSource(cached).CopyTo(_header, SourceOffset);
        BinaryPrimitives.WriteInt64LittleEndian(_header.AsSpan(LengthOffset), Offsets(cached).Last());
        BinaryPrimitives.WriteInt32LittleEndian(_header.AsSpan(LengthOffset + 8), cached.Length);
        BinaryPrimitives.WriteInt32LittleEndian(
            _header.AsSpan(LengthOffset + 12), (_header.Length - HashBytes - ChecksumsOffset) / sizeof(ulong));
    }

    private static byte[] HashLayout(IEnumerable<ElementType> types)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ElementType type in types)
        {
            ElementFormat format = ElementFormat.Of(type);
            using var stored = new AlignedBuffer<byte>(PackedMatrix.GroupRows * format.RowBytes(format.BlockSize));
            for (int index = 0; index < stored.Length; index++)
                stored.Span[index] = (byte)((index * 167) ^ (index >> 3));
            var source = new WeightMatrix(type, stored.View, PackedMatrix.GroupRows, format.BlockSize);
            using var room = new AlignedBuffer<byte>(PackedMatrix.Bytes(source));
            new PackedMatrix(source, room.View).Pack(0, 1);
            hash.AppendData(room.Span);
        }

        return hash.GetHashAndReset();
    }

    private static byte[] HashSource(Linear[] cached)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var sample = new byte[Alignment];
        foreach (MappedFile file in cached.Select(linear => linear.Weights.Data.File!).Distinct())
        {
            Add($"{file.Length} {File.GetLastWriteTimeUtc(file.Path).Ticks}");
            int bytes = (int)Math.Min(sample.Length, file.Length);
            for (long index = 0; index < Samples; index++)
            {
                file.View.Read((file.Length - bytes) * index / (Samples - 1), sample.AsSpan(0, bytes));
                hash.AppendData(sample, 0, bytes);
            }
        }

        foreach (Linear linear in cached)
            Add($"{linear.Weights.Type} {linear.Outputs} {linear.Inputs}");
        return hash.GetHashAndReset();

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
    }

    /// <summary>Opens the file if it is what the header describes, and takes the checksums from it.</summary>
    private bool TryOpen()
    {
        if (!File.Exists(_path))
            return false;
        if (Refusal() is not { } refusal)
            return true;
        _file?.Dispose();
        _file = null;
        _warn?.Invoke($"{_path}: {refusal}; the weights are rearranged and the cache is made anew.");
        return false;
    }

    private string? Refusal()
    {
        if (new FileInfo(_path).Length < _header.Length)
            return "this is no cache of rearranged weights, or a part of one";
        _file = MappedFile.Open(_path);
        var found = new byte[_header.Length];
        _file.View.Read(0, found);
        if (!Same(0, RowsOffset + sizeof(uint)))
            return $"this is no cache of rearranged weights of version {Version} in groups of {PackedMatrix.GroupRows} rows";
        if (!Same(LayoutOffset, HashBytes))
            return "these weights were rearranged in another way, by another version of Pure";
        if (!Same(SourceOffset, HashBytes))
            return "these weights were rearranged from another file than the model's, or from an earlier state of it";
        if (!Same(LengthOffset, 16) || _file.Length != BinaryPrimitives.ReadInt64LittleEndian(_header.AsSpan(LengthOffset))
            || !SHA256.HashData(found.AsSpan(0, found.Length - HashBytes)).AsSpan().SequenceEqual(found.AsSpan(found.Length - HashBytes)))
        {
            return "the file is damaged";
        }

        found.CopyTo(_header, 0);
        return null;

        bool Same(int offset, int bytes) => found.AsSpan(offset, bytes).SequenceEqual(_header.AsSpan(offset, bytes));
    }

    /// <summary>Rearranges the matrices in memory and writes them; the file appears whole or not at all.</summary>
    private void Make(Linear[] cached)
    {
        foreach (Linear linear in cached)
            linear.Prepare();
        long[] offsets = [.. Offsets(cached)];
        string temporary = $"{_path}.{Environment.ProcessId}.tmp";
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.None, offsets[^1]))
            {
                int piece = 0;
                foreach ((Linear linear, long offset) in cached.Zip(offsets))
                {
                    NativeView packed = linear.Arranged;
                    var sums = new ulong[Pieces(packed.Length)];
                    _cpu.Pool.Run(new SumJob(packed, sums), sums.Length, grain: 1);
                    foreach (ulong sum in sums)
                        BinaryPrimitives.WriteUInt64LittleEndian(_header.AsSpan(ChecksumsOffset + (piece++ * sizeof(ulong))), sum);
                    for (long start = 0; start < packed.Length; start += PieceBytes)
                        RandomAccess.Write(file, packed.AsSpan(start, (int)Math.Min(PieceBytes, packed.Length - start)), offset + start);
                }

                SHA256.HashData(_header.AsSpan(0, _header.Length - HashBytes), HeaderHash);
                RandomAccess.Write(file, _header, 0);
                if (RandomAccess.GetLength(file) != offsets[^1])
                    RandomAccess.SetLength(file, offsets[^1]);
            }

            File.Move(temporary, _path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Sums pieces.</summary>
    private readonly struct SumJob(NativeView place, ulong[] sums) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int piece = begin; piece < end; piece++)
                sums[piece] = ChecksumKernel.Of(place.Slice(piece * PieceBytes, Math.Min(PieceBytes, place.Length - (piece * PieceBytes))));
        }
    }
}
