using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>y = W·x, or W·x + b. Owns its matrix, and knows which form of the activations it reads.</summary>
internal sealed class Linear
{
    // Output rows handed out at a time: whole cache lines of outputs, and enough products to be worth a ticket.
    private const int RowsPerLine = 16;
    private const int ProductsPerTicket = 1 << 15;

    // Packed weights handed out at a time. Few rows wait for memory, and each ticket begins a stream anew: tickets as long as leaves
    // each thread several. Many rows meet the same weights again and again: what a second cache holds beside the panels.
    private const int LeastBytesPerTicket = 64 << 10;
    private const int MostBytesPerTicket = 256 << 10;
    private const int TicketsPerThread = 4;

    private readonly Cpu _cpu;
    private readonly WeightMatrix _weights;
    private readonly TransposedMatrix? _transposed;
    private readonly ReadOnlyMemory<float> _bias;
    private readonly bool _isQ8;
    private WeightMatrix _read;
    private WeightMatrix _rows;
    private PackedMatrix? _packed;
    private PackedMatrix? _lent;
    private RepackCache? _cache;
    private long _cachedAt;
    private int _cachedPiece;
    private bool _isPrepared;
    private bool _isOnDemand;

    /// <param name="cpu">What to compute with.</param>
    /// <param name="weights"><c>[outputs, inputs]</c>.</param>
    /// <param name="bias">Added to the product <c>[outputs]</c>; empty for none.</param>
    /// <param name="order">Which input each column multiplies; null for inputs in order.</param>
    internal Linear(Cpu cpu, WeightMatrix weights, ReadOnlyMemory<float> bias = default, InputOrder? order = null)
    {
        _cpu = cpu;
        _weights = weights;
        _read = weights;
        _rows = weights;
        _bias = bias;
        Order = order;
        _isQ8 = weights.IsQuantized && cpu.Arithmetic == ActivationType.Q8;
    }

    /// <param name="cpu">What to compute with.</param>
    /// <param name="weights"><c>[outputs, inputs]</c>, a transpose of the matrix that is stored.</param>
    internal Linear(Cpu cpu, TransposedMatrix weights)
        : this(cpu, new WeightMatrix(ElementType.F32, default, 0, weights.Rows, weights.Columns)) => _transposed = weights;

    internal int Outputs => _weights.Rows;

    internal int Inputs => _weights.Columns;

    /// <summary>Whether the input's 8-bit form must have been made.</summary>
    internal bool ReadsQ8 => _isQ8 && Order is null;

    /// <summary>Whether products read the panels of their inputs; known once the weights are there.</summary>
    internal bool ReadsPanels => _packed is not null;

    /// <summary><c>[outputs, inputs]</c>, where it is made and not stored; its <see cref="Weights"/> are empty then.</summary>
    internal TransposedMatrix? Transposed => _transposed;

    /// <summary><c>[outputs, inputs]</c>, as stored.</summary>
    internal WeightMatrix Weights => _weights;

    /// <summary>Which input each column multiplies; null for inputs in order.</summary>
    internal InputOrder? Order { get; }

    /// <summary>Whether rows are looked up: those of an embedding, which may be the head, too.</summary>
    internal bool LooksUp { get; init; }

    /// <summary>Added to the product <c>[outputs]</c>; empty for none.</summary>
    internal ReadOnlySpan<float> Bias => _bias.Span;

    /// <param name="x">Input <c>[rows, inputs]</c>.</param>
    /// <param name="y">Output <c>[rows, outputs]</c>.</param>
    internal void Forward(in Activations x, in Activations y) => _cpu.Run(Prepared(x, y));

    /// <summary>y = W·x as a part of a parallel region; the inputs must be in the order of the columns.</summary>
    /// <param name="x">Input <c>[rows, inputs]</c>.</param>
    /// <param name="y">Output <c>[rows, outputs]</c>.</param>
    internal Work Prepared(in Activations x, in Activations y)
    {
        Prepare();
        return new Work(this, Order is null ? x : Order.Arrange(_cpu, x, _isQ8), y, Grain(x.Rows));
    }

    /// <summary>Several products of one input, in one parallel region where nothing but <paramref name="x"/> is read.</summary>
    internal static void Forward(in Activations x, (Linear Linear, Activations Y) first, (Linear Linear, Activations Y) second)
    {
        if (first.Linear.Order is null && second.Linear.Order is null)
        {
            first.Linear._cpu.Run(first.Linear.Prepared(x, first.Y), second.Linear.Prepared(x, second.Y));
            return;
        }

        first.Linear.Forward(x, first.Y);
        second.Linear.Forward(x, second.Y);
    }

    /// <inheritdoc cref="Forward(in Activations, ValueTuple{Linear, Activations}, ValueTuple{Linear, Activations})"/>
    internal static void Forward(
        in Activations x, (Linear Linear, Activations Y) first, (Linear Linear, Activations Y) second, (Linear Linear, Activations Y) third)
    {
        if (first.Linear.Order is null && second.Linear.Order is null && third.Linear.Order is null)
        {
            first.Linear._cpu.Run(
                first.Linear.Prepared(x, first.Y),
                new Both<Work, Work>(second.Linear.Prepared(x, second.Y), third.Linear.Prepared(x, third.Y)));
            return;
        }

        first.Linear.Forward(x, first.Y);
        second.Linear.Forward(x, second.Y);
        third.Linear.Forward(x, third.Y);
    }

    /// <summary>
    /// On first use rearranges the weights, on all threads, or takes them from the cache, or copies them where they must stay in memory; the mapped pages behind them
    /// are given back. Not to be called by several threads at once.
    /// </summary>
    internal void Prepare()
    {
        if (_isPrepared)
            return;
        _isPrepared = true;
        if (IsPackable)
        {
            _packed = Taken() ?? _cpu.Pack(_weights);
        }
        else if (_cpu.Keeps && _weights.Data.File is not null)
        {
            _read = Copied();
        }
        else
        {
            return;
        }

        _weights.Data.Forget();
    }

    /// <summary>Whether the rearranged weights may come from a file.</summary>
    internal bool IsCacheable => IsPackable && _weights.Data.File is not null && !_isOnDemand;

    /// <summary>The rearranged weights, once they are prepared; empty where they are read as stored.</summary>
    internal NativeView Arranged => _packed?.View ?? default;

    /// <summary>Lets the rearranged weights come from a file when they are first used.</summary>
    internal void TakeFrom(RepackCache cache, long offset, int firstPiece) => (_cache, _cachedAt, _cachedPiece) = (cache, offset, firstPiece);

    /// <summary>Copies the rows that are looked up out of the file; a matrix that is not to be rearranged is then read from the copy, too.</summary>
    internal void KeepRows()
    {
        if (_weights.Data.File is null)
            return;
        _rows = Copied();
        if (IsPackable)
            return;
        _read = _rows;
        _isPrepared = true;
    }

    /// <summary>
    /// Where the weights are that products and lookups read from now on; nothing of those that are loaded on demand, which the lender knows.
    /// </summary>
    /// <param name="multiplies">Whether there are products.</param>
    internal IEnumerable<NativeView> Places(bool multiplies)
    {
        if (_isOnDemand)
            yield break;
        if (LooksUp)
            yield return _rows.Data;
        if (multiplies && _packed is not null)
            yield return _packed.View;
        else if (multiplies && _transposed is not null)
            yield return _transposed.View;
        else if (multiplies && !(LooksUp && _rows.Data.IsSame(_read.Data)))
            yield return _read.Data;
    }

    /// <summary>Bytes of memory beside the file's that the weights take once they are prepared.</summary>
    internal long PreparedBytes => IsPackable || _weights.Data.File is not null ? LoadedBytes : 0;

    /// <summary>Bytes that <see cref="Load"/> fills.</summary>
    internal long LoadedBytes => IsPackable ? PackedMatrix.Bytes(_weights) : _weights.Data.Length;

    /// <summary>Least bytes of staging that <see cref="Load"/> takes: those it rearranges at a time.</summary>
    internal long StagingBytes => IsPackable ? PackedMatrix.GroupRows * _weights.RowBytes : 0;

    /// <summary>
    /// From now on the weights are <see cref="Load">loaded</see> before each use and not prepared; where they are not, they are read as stored.
    /// </summary>
    internal void LoadOnDemand()
    {
        _isPrepared = true;
        _isOnDemand = true;
        _lent = IsPackable ? new PackedMatrix(_weights, default) : null;
    }

    /// <summary>
    /// Reads the weights from the file into <paramref name="room"/> of <see cref="LoadedBytes"/>, in the form that products read, and uses
    /// them there from now on. On any thread, while no product reads them.
    /// </summary>
    /// <exception cref="ModelFormatException">The file cannot be read.</exception>
    internal void Load(NativeView room, Span<byte> staging)
    {
        NativeView stored = _weights.Data;
        if (_lent is not { } packed)
        {
            stored.Read(0, room);
            _read = new WeightMatrix(_weights.Type, room, _weights.Rows, _weights.Columns);
            return;
        }

        packed.Place(room);
        int step = (int)Math.Min(stored.Length, staging.Length / StagingBytes * StagingBytes);
        for (long offset = 0, group = 0; offset < stored.Length; offset += step)
        {
            Span<byte> rows = staging[..(int)Math.Min(step, stored.Length - offset)];
            stored.Read(offset, rows);
            group = packed.Pack(rows, (int)group);
        }

        _packed = packed;
    }

    /// <summary>Lets go of what <see cref="Load"/> was lent.</summary>
    internal void Unload()
    {
        _packed = null;
        _read = _weights;
    }

    /// <summary>
    /// Outputs <paramref name="begin"/> … <paramref name="end"/> - 1 of the given input rows (empty: all), on this thread; the inputs are
    /// in the order of the columns.
    /// </summary>
    internal void Forward(int begin, int end, in Activations x, ReadOnlySpan<int> inputRows, in Activations y)
    {
        if (_packed is { } packed)
            _cpu.Kernels.MatMulPacked(packed, begin, end, x, inputRows, y.All, y.Stride);
        else if (_transposed is { } transposed)
            _cpu.Kernels.MatMulTransposed(transposed, x, y.All, y.Stride);
        else if (_isQ8)
            _cpu.Kernels.MatMulQ8(_read, begin, end, x, inputRows, y.All, y.Stride);
        else
            _cpu.Kernels.MatMulFloat(_read, begin, end, x, inputRows, y.All, y.Stride);
        if (_bias.IsEmpty)
            return;
        int rows = inputRows.IsEmpty ? x.Rows : inputRows.Length;
        for (int row = 0; row < rows; row++)
            _cpu.Kernels.Add(y.Row(row)[begin..end], _bias.Span[begin..end]);
    }

    /// <summary>Row <paramref name="row"/> as floats, as stored: a token's embedding.</summary>
    internal void Row(int row, Span<float> y) => _cpu.Kernels.DequantizeRow(_rows, row, y);

    /// <summary>Output rows handed out at a time to inputs of <paramref name="rows"/> rows: whole cache lines, worth a ticket.</summary>
    internal int Grain(int rows)
    {
        if (_packed is { } packed)
        {
            long share = packed.Groups * packed.GroupBytes / (TicketsPerThread * _cpu.Pool.Threads);
            long bytes = rows > Panel.MaxWidth ? LeastBytesPerTicket : Math.Clamp(share, LeastBytesPerTicket, MostBytesPerTicket);
            return (int)Math.Clamp(bytes / packed.GroupBytes, 1, 64) * PackedMatrix.GroupRows;
        }

        long products = Math.Max(1, (long)Inputs * rows);
        long lines = Math.Max(1, ProductsPerTicket / products / RowsPerLine);
        return (int)Math.Min(lines * RowsPerLine, 1 << 16);
    }

    /// <summary>The rearranged form from the cache; null where there is none that is whole.</summary>
    private PackedMatrix? Taken()
    {
        if (_cache?.Take(_cachedAt, PackedMatrix.Bytes(_weights), _cachedPiece) is not { } place)
            return null;
        var packed = new PackedMatrix(_weights, place);
        _cpu.Add(packed);
        return packed;
    }

    private WeightMatrix Copied() => new(_weights.Type, _cpu.Copy(_weights.Data), _weights.Rows, _weights.Columns);

    private bool IsPackable => _isQ8 && _cpu.Repacks && PackedMatrix.Has(_weights.Type);

    /// <summary>The product in tiles of output rows.</summary>
    internal readonly struct Work(Linear linear, Activations x, Activations y, int tile) : IWork
    {
        /// <inheritdoc/>
        public int Count => (linear.Outputs + tile - 1) / tile;

        /// <inheritdoc/>
        public void Run(int begin, int end) => linear.Forward(begin * tile, Math.Min(end * tile, linear.Outputs), x, [], y);
    }
}
