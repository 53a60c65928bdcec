using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// Guesses by the model's own layer for the token after the next (DeepSeek-V3, arXiv:2412.19437, section 2.2). From the hidden state of
/// a position and the token that followed it the layer predicts the token after that; from its own hidden state and its guess, the one
/// after. Its keys and values lie in the session's cache, as those of one more layer.
/// </summary>
internal sealed class NextTokens : DraftSource
{
    private readonly Model _model;
    private readonly Sequence _sequence;
    private readonly int _embedding;
    private readonly float[] _hidden; // [rows of a pass, embedding]: what the model said last, of positions from _first on
    private readonly float[] _guessed; // [embedding]: what the layer said last
    private int _first;
    private int _count; // positions whose hidden states wait for the token that follows them

    internal NextTokens(Model model, Sequence sequence)
    {
        _model = model;
        _sequence = sequence;
        _embedding = model.Info.EmbeddingLength;
        _hidden = new float[(long)model.Options.MaxBatchRows * _embedding];
        _guessed = new float[_embedding];
    }

    /// <summary>Keeps the pass's hidden states, and lets the layer read the positions whose following token is certain.</summary>
    internal override void Follow(Model model, ReadOnlySpan<BatchRow> rows, ReadOnlySpan<int> tokens)
    {
        _first = rows[0].Position;
        _count = rows.Length;
        for (int row = 0; row < rows.Length; row++)
            model.CopyHidden(row, _hidden.AsSpan(row * _embedding, _embedding));
        if (tokens.Length > _first + _count) // the prompt goes on: nothing is guessed yet
            Read(tokens, guesses: false);
    }

    internal override int Propose(ReadOnlySpan<int> tokens, Span<int> draft)
    {
        lock (_model.Gate)
        {
            int next = Read(tokens, guesses: draft.Length > 0);
            if (next < 0)
                return 0;
            draft[0] = next;
            int position = tokens.Length - 2;
            for (int guess = 1; guess < draft.Length; guess++)
            {
                Logits logits = _model.PredictNext(
                    _sequence, ++position, draft.Slice(guess - 1, 1), _guessed, _guessed, wantsLogits: true);
                draft[guess] = Ranking.Best(logits[0]);
            }

            return draft.Length;
        }
    }

    /// <summary>Reads the positions that wait and whose following tokens are there, and guesses what follows the last of these.</summary>
    private int Read(ReadOnlySpan<int> tokens, bool guesses)
    {
        int count = Math.Min(_count, tokens.Length - 1 - _first);
        _count = 0;
        if (count < 1)
            return -1;
        Logits logits = _model.PredictNext(
            _sequence, _first, tokens.Slice(_first + 1, count), _hidden.AsSpan(0, count * _embedding), _guessed, guesses);
        return guesses ? Ranking.Best(logits[0]) : -1;
    }
}
