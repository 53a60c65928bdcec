using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Serve;

/// <summary>Sees the logits after one position of a text.</summary>
/// <param name="position">The position.</param>
/// <param name="logits"><c>[vocabulary]</c>; valid during the call.</param>
internal delegate void LogitsVisitor(int position, ReadOnlySpan<float> logits);

/// <summary>Runs whole texts through a model, one after another, and shows the logits of every position.</summary>
internal sealed class EveryPosition : IDisposable
{
    /// <summary>Logits of one batch in memory; a large vocabulary makes the batches shorter.</summary>
    private const long MostLogitBytes = 64 << 20;

    private readonly Model _model;
    private readonly KvCache _cache;
    private readonly Sequence _sequence;
    private readonly Batch _batch;

    /// <summary>Makes room for texts of up to <paramref name="positions"/> tokens.</summary>
    internal EveryPosition(Model model, int positions)
    {
        _model = model;
        long rows = Math.Min(MostLogitBytes / (sizeof(float) * (long)model.Info.VocabularySize), model.Options.MaxBatchRows);
        _batch = new Batch((int)Math.Clamp(rows, 1, positions));
        _cache = model.CreateCache(positions);
        _sequence = _cache.CreateSequence();
    }

    /// <summary>Shows the logits after each of <paramref name="tokens"/> in turn, and traces the passes where asked.</summary>
    /// <exception cref="OperationCanceledException">The user stopped it; at most one batch later.</exception>
    internal void Visit(ReadOnlySpan<int> tokens, LogitsVisitor visit, CancellationToken cancellation, Trace? trace = null)
    {
        _sequence.Truncate(0);
        for (int start = 0; start < tokens.Length; start += _batch.Capacity)
        {
            cancellation.ThrowIfCancellationRequested();
            _batch.Clear();
            foreach (int token in tokens.Slice(start, Math.Min(_batch.Capacity, tokens.Length - start)))
                _batch.Add(_sequence, token, wantsLogits: true);
            Logits logits = _model.Forward(_batch, trace);
            for (int row = 0; row < logits.Count; row++)
                visit(start + row, logits[row]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sequence.Dispose();
        _cache.Dispose();
    }
}
