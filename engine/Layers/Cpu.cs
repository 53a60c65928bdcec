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
internal sealed class Cpu(KernelSet kernels, WorkerPool pool, ActivationType arithmetic, bool repacks, bool keeps = false) : IDisposable
{
    private readonly List<PackedMatrix> _packed = [];
    private readonly WeightArena _arena = new();

    internal KernelSet Kernels { get; } = kernels;

    internal WorkerPool Pool { get; } = pool;

    internal ActivationType Arithmetic { get; } = arithmetic;

    /// <summary>Whether weights are rearranged for the kernels when first used.</summary>
    internal bool Repacks { get; } = repacks && kernels.ReadsPacked;

    /// <summary>
    /// Whether weights that are not rearranged are copied out of the file when first used: the system may take mapped pages back at any time.
    /// </summary>
    internal bool Keeps { get; } = keeps;

    /// <summary>Rearranges a matrix, on all threads.</summary>
    internal PackedMatrix Pack(in WeightMatrix weights)
    {
        var packed = new PackedMatrix(weights, Room(PackedMatrix.Bytes(weights)));
        Pool.Run(new PackJob(packed), packed.Groups, grain: 4);
        _packed.Add(packed);
        return packed;
    }

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
        const long PieceBytes = 1 << 20;
        for (long start = 0; start < whole.Length; start += PieceBytes)
            yield return whole.Slice(start, Math.Min(PieceBytes, whole.Length - start));
    }

    private readonly struct PackJob(PackedMatrix packed) : IRangeJob
    {
        public void Run(int begin, int end) => packed.Pack(begin, end);
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
