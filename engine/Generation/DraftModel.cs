using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// Guesses what a smaller model of the same vocabulary finds most probable (Leviathan, Kalman and Matias 2023, arXiv:2211.17192). It
/// reads the text in a cache of its own, and the guesses that were wrong are forgotten there.
/// </summary>
internal sealed class DraftModel : DraftSource
{
    /// <summary>Vocabularies are padded to round sizes, models of one family to different ones: so many ids may be without a token.</summary>
    internal const int MostPadding = 128;

    private readonly Model _model;
    private readonly KvCache _cache;
    private readonly Sequence _sequence;
    private readonly Batch _batch;
    private readonly int[] _read; // [context]: the ids whose keys and values are in the cache
    private readonly int _vocabulary; // ids that both models know

    /// <exception cref="InvalidRequestException">The machine has not the memory for its cache.</exception>
    internal DraftModel(Model model, Session session)
    {
        _model = model;
        _vocabulary = Math.Min(model.Info.VocabularySize, session.Model.Info.VocabularySize);
        _read = new int[Math.Min(session.ContextLength, model.Info.ContextLength)];
        _cache = model.CreateCache(_read.Length);
        _sequence = _cache.CreateSequence();
        _sequence.PromptLength = 0;
        _batch = new Batch(model.Options.MaxBatchRows);
    }

    internal override int Propose(ReadOnlySpan<int> tokens, Span<int> draft)
    {
        // All guesses but the last are read as well.
        int most = Math.Min(draft.Length, _read.Length - tokens.Length + 1);
        if (most < 1)
            return 0;
        lock (_model.Gate)
        {
            int known = tokens.CommonPrefixLength(_read.AsSpan(0, _sequence.Length));
            _sequence.Truncate(Math.Min(known, tokens.Length - 1));
            int next = Read(tokens[_sequence.Length..]);
            int count = 0;
            while (next >= 0)
            {
                draft[count++] = next;
                if (count == most)
                    break;
                next = Read(draft.Slice(count - 1, 1));
            }

            return count;
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        lock (_model.Gate)
        {
            _sequence.Dispose();
            _cache.Dispose();
        }

        base.Dispose();
    }

    /// <summary>Reads further tokens and returns the most probable next one; -1 where one of them is not in both vocabularies.</summary>
    private int Read(ReadOnlySpan<int> tokens)
    {
        Logits logits = default;
        while (!tokens.IsEmpty)
        {
            int start = _sequence.Length;
            int rows = Math.Min(tokens.Length, _batch.Capacity);
            _batch.Clear();
            for (int row = 0; row < rows; row++)
            {
                if (tokens[row] >= _vocabulary)
                    return -1;
                _read[start + row] = tokens[row];
                _batch.Add(_sequence, tokens[row], wantsLogits: row == tokens.Length - 1);
            }

            logits = _model.Forward(_batch);
            tokens = tokens[rows..];
        }

        return Ranking.Best(logits[0][.._vocabulary]);
    }
}
