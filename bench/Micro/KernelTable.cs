using System.Diagnostics;
using System.Globalization;
using System.Text;
using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Serve.Benchmark;

namespace Pure.Bench.Micro;

/// <summary>
/// Every matrix product on one thread, as a table in Markdown: how fast one column reads weights from memory, how fast many columns
/// compute, and which parts of this machine's peaks that is, measured in between.
/// </summary>
internal static class KernelTable
{
    private const int Columns = 4096;
    private const int ManyInputs = 48; // four of the widest panels
    private const long WeightBytes = 96L << 20; // more than a last cache is likely to be
    private const int PieceRows = 64;
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(30);
    private const int Slices = 5;

    /// <summary>Measures all and returns the table.</summary>
    /// <param name="types">Names of element types; none for all.</param>
    internal static string Measure(IReadOnlyCollection<string> types)
    {
        var text = new StringBuilder();
        Machine machine = Machine.Describe();
        using var bandwidth = new ReadBandwidth(threads: 1);
        text.AppendLine(CultureInfo.InvariantCulture, $"{machine.Cpu}, {machine.System}, {machine.Runtime}, {machine.Date}, {machine.Version}, load {machine.Load}; one thread.");
        text.AppendLine();
        text.AppendLine("| peak | |");
        text.AppendLine("|---|---|");
        double dot256 = Peaks.Pairs256();
        double pairs512 = Peaks.Pairs512();
        double dot512 = Peaks.Emitted512();
        double fma = Peaks.FusedMultiplyAdds();
        text.AppendLine(CultureInfo.InvariantCulture, $"| products of bytes, 256 bits in pairs | {dot256:F0} GOPS |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| products of bytes, 512 bits in pairs | {pairs512:F0} GOPS |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| products of bytes, 512 bits of VNNI | {dot512:F0} GOPS |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| fused multiply-adds of floats | {fma:F0} GFLOPS |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| reading memory | {bandwidth.Best(5) / 1e9:F1} GB/s |");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| type | weights | instruction set | 1 column, GB/s | of reading | {ManyInputs} columns, GOPS | of the peak |");
        text.AppendLine("|---|---|---|---:|---:|---:|---:|");
        foreach (ElementType type in Enum.GetValues<ElementType>().Where(type => types.Count == 0 || types.Contains(type.ToString())))
        {
            using var weights = new Weights(type);
            foreach (Path path in Path.Of(type))
            {
                // The peak that a memory gives wanders; it is looked at around each figure.
                double before = bandwidth.Best(1);
                double gigabytes = weights.Speed(path, 1).BytesPerSecond / 1e9;
                double roof = Math.Max(before, bandwidth.Best(1)) / 1e9;
                double operations = weights.Speed(path, ManyInputs).OperationsPerSecond / 1e9;
                double peak = !path.IsQ8 ? fma : path.Kernels.Emits ? dot512 : path.Kernels.Isa == Isa.Avx512 ? pairs512 : dot256;
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"| {type} | {path.Form} | {path.Name} | {gigabytes:F1} | {gigabytes / roof:P0} | {operations:F0} | {operations / peak:P0} |");
            }
        }

        return text.ToString();
    }

    /// <summary>One way of computing a type's products.</summary>
    private sealed record Path(KernelSet Kernels, bool IsQ8, bool IsPacked)
    {
        internal string Name => KernelSet.Name(Kernels.Isa) + (IsPacked && Kernels.Emits ? ", emitted" : "");

        internal string Form => IsPacked ? "rearranged" : IsQ8 ? "as stored" : "as stored, float activations";

        internal static IEnumerable<Path> Of(ElementType type)
        {
            bool isQuantized = ElementFormat.Of(type).IsQuantized;
            foreach (Isa isa in KernelSet.Supported)
            {
                KernelSet kernels = KernelSet.Select(isa, emit: false);
                if (isa != Isa.Avx512 || !isQuantized)
                    yield return new Path(kernels, isQuantized, IsPacked: false);
                if (isQuantized && kernels.ReadsPacked)
                    yield return new Path(kernels, IsQ8: true, IsPacked: true);
                KernelSet emitting = KernelSet.Select(isa);
                if (isQuantized && emitting.Emits)
                    yield return new Path(emitting, IsQ8: true, IsPacked: true);
            }
        }
    }

    /// <summary>A matrix that no cache holds, and inputs for it.</summary>
    private sealed class Weights : IDisposable
    {
        private readonly AlignedBuffer<byte> _bytes;
        private readonly WeightMatrix _matrix;
        private readonly AlignedBuffer<byte>? _room;
        private readonly PackedMatrix? _packed;
        private readonly ActivationBuffer _inputs = new(ManyInputs, Columns);

        internal Weights(ElementType type)
        {
            int rows = (int)(WeightBytes / ElementFormat.Of(type).RowBytes(Columns) / PieceRows * PieceRows);
            _bytes = RandomWeights.Of(type, rows, Columns);
            _matrix = new WeightMatrix(type, _bytes.View, rows, Columns);
            if (PackedMatrix.Has(type))
            {
                _room = new AlignedBuffer<byte>(PackedMatrix.Bytes(_matrix));
                _packed = new PackedMatrix(_matrix, _room.View);
                _packed.Pack(0, _packed.Groups);
            }

            for (int row = 0; row < ManyInputs; row++)
                RandomWeights.Fill(_inputs.Rows(ManyInputs).Row(row));
        }

        /// <summary>The median over some slices of time, each of whole pieces of rows, which follow each other through the matrix.</summary>
        internal (double BytesPerSecond, double OperationsPerSecond) Speed(Path path, int inputs)
        {
            Activations x = _inputs.Rows(inputs);
            for (int row = 0; row < inputs; row++)
                path.Kernels.QuantizeRow(x, row);
            var y = new float[inputs * _matrix.Rows];
            int next = 0;
            Rate(path, x, y, WarmUp, ref next);
            double[] rates = [.. Enumerable.Range(0, Slices).Select(_ => Rate(path, x, y, Slice, ref next)).Order()];
            double rowsPerSecond = rates[Slices / 2];
            return (rowsPerSecond * _matrix.RowBytes, rowsPerSecond * 2.0 * Columns * inputs);
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _room?.Dispose();
            _bytes.Dispose();
            _inputs.Dispose();
        }

        /// <summary>Rows per second.</summary>
        private double Rate(Path path, in Activations x, float[] y, TimeSpan time, ref int next)
        {
            long started = Stopwatch.GetTimestamp();
            long rows = 0;
            while (Stopwatch.GetElapsedTime(started) < time)
            {
                if (path.IsPacked)
                    path.Kernels.MatMulPacked(_packed!, next, next + PieceRows, x, [], y, _matrix.Rows);
                else if (path.IsQ8)
                    path.Kernels.MatMulQ8(_matrix, next, next + PieceRows, x, [], y, _matrix.Rows);
                else
                    path.Kernels.MatMulFloat(_matrix, next, next + PieceRows, x, [], y, _matrix.Rows);
                rows += PieceRows;
                next = (next + PieceRows) % _matrix.Rows;
            }

            return rows / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
    }
}
