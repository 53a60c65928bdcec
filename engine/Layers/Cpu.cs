using System.Buffers;
using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>What layers compute with: the kernels of one instruction set, the threads, and the chosen arithmetic.</summary>
/// <param name="kernels">Of one instruction set.</param>
/// <param name="pool">The threads.</param>
/// <param name="arithmetic">What quantised weights are multiplied with.</param>
/// <param name="repacks">Whether weights are rearranged for the kernels when first used.</param>
/// <param name="keeps">Whether weights that are not rearranged are copied out of the file when first used.</param>
/// <param name="memory">Where weights lie; null for the defaults.</param>
internal sealed class Cpu(
    KernelSet kernels, WorkerPool pool, ActivationType arithmetic, bool repacks, bool keeps = false, MemoryOptions? memory = null) : IDisposable
{
    // Of work on all weights; a few of them are as long as a system call is worth.
    private const long PieceBytes = 1 << 20;

    // Rows in groups of sixteen.
    private const int GroupsPerTicket = 4;

    private readonly List<PackedMatrix> _packed = [];
    private readonly WeightArena _arena = new(memory?.LargePages ?? true);

    internal KernelSet Kernels { get; } = kernels;

    internal WorkerPool Pool { get; } = pool;

    internal ActivationType Arithmetic { get; } = arithmetic;

    /// <summary>Whether weights are rearranged for the kernels when first used.</summary>
    internal bool Repacks { get; } = repacks && kernels.ReadsPacked;

    /// <summary>
    /// Whether weights that are not rearranged are copied out of the file when first used: the system may take mapped pages back at any time.
    /// </summary>
    internal bool Keeps { get; } = keeps;

    /// <summary>Where weights lie.</summary>
    internal MemoryOptions Memory { get; } = memory ?? new MemoryOptions();

    /// <summary>Rearranges a matrix, on all threads; where files are not to be mapped, from what is read of them.</summary>
    internal PackedMatrix Pack(in WeightMatrix weights)
    {
        var packed = new PackedMatrix(weights, Room(PackedMatrix.Bytes(weights)));
        if (Memory.Map || weights.Data.File is null)
            Pool.Run(new PackJob(packed), packed.Groups, GroupsPerTicket);
        else
            Pool.Run(new ReadAndPackJob(packed, weights), packed.Groups, GroupsPerTicket);
        Add(packed);
        return packed;
    }

    /// <summary>Counts a matrix among those that <see cref="ReadWeights"/> reads.</summary>
    internal void Add(PackedMatrix packed) => _packed.Add(packed);

    /// <summary>Zeroed room for weights, which lasts as long as this.</summary>
    internal NativeView Room(long bytes) => _arena.Take(bytes);

    /// <summary>Runs a work's items on all threads: one parallel region.</summary>
    internal void Run<TWork>(in TWork work)
        where TWork : struct, IWork =>
        Pool.Run(work, work.Count, grain: 1);

    /// <summary>Runs two works that do not read one another's results, in one parallel region.</summary>
    internal void Run<TFirst, TSecond>(in TFirst first, in TSecond second)
        where TFirst : struct, IWork
        where TSecond : struct, IWork =>
        Run(new Both<TFirst, TSecond>(first, second));

    /// <summary>Reads all rearranged weights once, on all threads.</summary>
    /// <returns>How many bytes that was.</returns>
    internal long ReadWeights()
    {
        NativeView[] pieces = [.. _packed.SelectMany(matrix => Pieces(matrix.View))];
        Pool.Run(new ReadJob(pieces, new ulong[pieces.Length]), pieces.Length, grain: 1);
        return pieces.Sum(piece => piece.Length);
    }

    /// <summary>Copies what a file has, on all threads, into memory that this owns.</summary>
    /// <exception cref="ModelFormatException">The file cannot be read.</exception>
    internal NativeView Copy(NativeView source)
    {
        NativeView copy = Room(source.Length);
        Pool.Run(new CopyJob(source, copy), (int)((source.Length + PieceBytes - 1) / PieceBytes), grain: 1);
        return copy;
    }

    /// <summary>Brings mapped pages into memory, on all threads.</summary>
    internal void Touch(IReadOnlyList<NativeView> places)
    {
        NativeView[] pieces = [.. places.SelectMany(Pieces)];
        foreach (NativeView place in places)
            place.WillNeed();
        Pool.Run(new TouchJob(pieces), pieces.Length, grain: 1);
    }

    /// <summary>Makes the 8-bit form of every row.</summary>
    internal void Quantize(in Activations x) => Pool.Run(new QuantizeJob(Kernels, x), x.Rows, grain: 1);

    /// <summary>y = y + scale · x for every row, the sum rounded once.</summary>
    internal void AddScaled(in Activations y, float scale, in Activations x) =>
        Pool.Run(new AddJob(Kernels, y, scale, x), y.Rows, grain: 4);

    public void Dispose()
    {
        Pool.Dispose();
        _arena.Dispose();
    }

    private static IEnumerable<NativeView> Pieces(NativeView whole)
    {
        for (long start = 0; start < whole.Length; start += PieceBytes)
            yield return whole.Slice(start, Math.Min(PieceBytes, whole.Length - start));
    }

    private readonly struct PackJob(PackedMatrix packed) : IRangeJob
    {
        public void Run(int begin, int end) => packed.Pack(begin, end);
    }

    /// <summary>Reads groups, one after the other, and packs them: mapped pages stay untouched.</summary>
    private readonly struct ReadAndPackJob(PackedMatrix packed, WeightMatrix stored) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            int groupBytes = checked((int)(PackedMatrix.GroupRows * stored.RowBytes));
            byte[] rows = ArrayPool<byte>.Shared.Rent(groupBytes);
            for (int group = begin; group < end; group++)
            {
                long offset = (long)group * groupBytes;
                Span<byte> some = rows.AsSpan(0, (int)Math.Min(groupBytes, stored.Data.Length - offset));
                stored.Data.Read(offset, some);
                packed.Pack(some, group);
            }

            ArrayPool<byte>.Shared.Return(rows);
        }
    }

    private readonly struct CopyJob(NativeView source, NativeView target) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            long start = begin * PieceBytes;
            NativeView place = target.Slice(start, Math.Min(end * PieceBytes, source.Length) - start);
            place.Claim();
            source.Read(start, place);
        }
    }

    private readonly struct TouchJob(NativeView[] pieces) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int piece = begin; piece < end; piece++)
                pieces[piece].Touch();
        }
    }

    private readonly struct ReadJob(NativeView[] pieces, ulong[] sums) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int piece = begin; piece < end; piece++)
                sums[piece] = ReadKernel.Sum(pieces[piece]);
        }
    }

    private readonly struct QuantizeJob(KernelSet kernels, Activations x) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
                kernels.QuantizeRow(x, row);
        }
    }

    private readonly struct AddJob(KernelSet kernels, Activations y, float scale, Activations x) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
                kernels.AddScaled(y.Row(row), scale, x.Row(row));
        }
    }
}
