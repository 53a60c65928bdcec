using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Layers;
using Pure.Engine.Models;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>
/// What a batch's rows are to the device, in one upload for all layers: positions, the block numbers of their sequences (once for the rows
/// of one sequence), rotary angles, and how attention is cut.
/// <code>
/// | rows × (position, table, first slot) | slots × (row, span) | of each rotary embedding: cosines, sines | block numbers |
/// </code>
/// </summary>
/// <remarks>
/// Angles are computed on the host, in double precision: at position 200,000 a float angle would be wrong by hundredths of a turn, and
/// doubles are slow on most devices. What is uploaded is the engine's own cosines and sines, 512 bytes for a token of most models.
/// </remarks>
internal sealed class DeviceRows : IDisposable
{
    /// <summary>Most rows whose attention is cut by spans; more rows than this keep a device busy without.</summary>
    internal const int MaxCutRows = 16;

    private readonly GpuQueue _queue;
    private readonly RotaryEmbedding[] _ropes;
    private readonly int[] _angles;
    private readonly int _slots;
    private readonly int[] _host;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _device;
    private int _spansAt;
    private int _tablesAt;
    private int _end;

    /// <param name="queue">The device.</param>
    /// <param name="maxRows">Most rows of a batch.</param>
    /// <param name="blocks">Blocks of the cache.</param>
    /// <param name="slots">Spans that there is room for (<see cref="AttentionOps.Slots"/>).</param>
    /// <param name="ropes">The model's rotary embeddings.</param>
    internal DeviceRows(GpuQueue queue, int maxRows, int blocks, int slots, ReadOnlySpan<RotaryEmbedding> ropes)
    {
        _queue = queue;
        _ropes = ropes.ToArray();
        _angles = new int[ropes.Length];
        _slots = slots;
        _host = new int[checked((int)Integers(maxRows, blocks, slots, ropes))];
        _device = queue.Allocate<int>(_host.Length);
    }

    /// <summary>Rows of the batch.</summary>
    internal int Count { get; private set; }

    /// <summary>Spans of all rows, where they are cut; otherwise 0.</summary>
    internal int Slots { get; private set; }

    /// <summary>Whether each span is attended to on its own: rows are few and some see several spans, for which there is room.</summary>
    internal bool AreCut => Slots > 0;

    /// <summary>Where each row stands.</summary>
    internal ArrayView<RowPlace> Places => All.SubView(0, Count * RowPlace.Size).Cast<RowPlace>();

    /// <summary>Each slot's row and span.</summary>
    internal ArrayView<SpanPlace> Spans => All.SubView(_spansAt, Slots * SpanPlace.Size).Cast<SpanPlace>();

    /// <summary>Block numbers of all sequences.</summary>
    internal ArrayView<int> Tables => All.SubView(_tablesAt, _end - _tablesAt);

    private ArrayView<int> All => _device.View;

    /// <summary>Bytes that it takes on the device.</summary>
    internal static long Bytes(int maxRows, int blocks, int slots, ReadOnlySpan<RotaryEmbedding> ropes) =>
        sizeof(int) * Integers(maxRows, blocks, slots, ropes);

    /// <summary>Takes a batch, whose positions are reserved and whose angles are prepared.</summary>
    internal void Upload(Batch batch)
    {
        Count = batch.Count;

        // A view of places begins at a whole number of them.
        _spansAt = ((Count * RowPlace.Size) + SpanPlace.Size - 1) / SpanPlace.Size * SpanPlace.Size;
        Slots = Cut(batch);
        int next = _spansAt + (Slots * SpanPlace.Size);
        for (int rope = 0; rope < _ropes.Length; rope++)
        {
            _angles[rope] = next;
            next = Put(_ropes[rope].Sines(Count), Put(_ropes[rope].Cosines(Count), next));
        }

        _tablesAt = next;
        _end = PutPlaces(batch.Rows, next);
        _queue.Upload<int>(_host.AsSpan(0, _end), _device.View);
    }

    /// <summary>Cosines <c>[rows, pairs]</c> of one of the rotary embeddings.</summary>
    internal ArrayView<float> Cosines(RotaryEmbedding rope) => Angles(rope, 0);

    /// <summary>Sines <c>[rows, pairs]</c> of one of the rotary embeddings.</summary>
    internal ArrayView<float> Sines(RotaryEmbedding rope) => Angles(rope, 1);

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private static long Integers(int maxRows, int blocks, int slots, ReadOnlySpan<RotaryEmbedding> ropes)
    {
        int angles = 0;
        foreach (RotaryEmbedding rope in ropes)
            angles += rope.Dimensions;
        return ((long)maxRows * (RowPlace.Size + angles + blocks)) + ((slots + 1) * SpanPlace.Size);
    }

    private ArrayView<float> Angles(RotaryEmbedding rope, int part)
    {
        int count = Count * rope.Dimensions / 2;
        return All.SubView(_angles[Array.IndexOf(_ropes, rope)] + (part * count), count).Cast<float>();
    }

    /// <summary>Gives every span of every row a slot, if it is worth it.</summary>
    private int Cut(Batch batch)
    {
        if (batch.Count > MaxCutRows)
            return 0;
        int slots = 0;
        foreach (ref readonly BatchRow row in batch.Rows)
            slots += SpansOf(row);
        if (slots == batch.Count || slots > _slots)
            return 0;
        Span<int> spans = _host.AsSpan(_spansAt);
        int next = 0;
        for (int row = 0; row < batch.Count; row++)
        {
            for (int span = 0; span < SpansOf(batch.Rows[row]); span++)
            {
                spans[next++] = row;
                spans[next++] = span;
            }
        }

        return slots;
    }

    private static int SpansOf(in BatchRow row) => (row.Position / AttentionKernel.SpanPositions) + 1;

    private int Put(ReadOnlySpan<float> angles, int at)
    {
        MemoryMarshal.Cast<float, int>(angles).CopyTo(_host.AsSpan(at));
        return at + angles.Length;
    }

    private int PutPlaces(ReadOnlySpan<BatchRow> rows, int at)
    {
        int slot = 0;
        for (int row = 0; row < rows.Length; row++)
        {
            Span<int> place = _host.AsSpan(row * RowPlace.Size, RowPlace.Size);
            int same = row - 1;
            while (same >= 0 && rows[same].Sequence != rows[row].Sequence)
                same--;
            place[0] = rows[row].Position;
            place[1] = same >= 0 ? _host[(same * RowPlace.Size) + 1] : at - _tablesAt;
            place[2] = slot;
            slot += SpansOf(rows[row]);
            if (same < 0)
                at += rows[row].Sequence.CopyBlocks(_host.AsSpan(at));
        }

        return at;
    }
}
