using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>The layer that predicts the token after the next, run on its own over positions that the model has computed.</summary>
public sealed partial class Model
{
    private readonly ActivationBuffer? _joint; // [rows, 2 · embedding]: a following token's embedding, then a position's hidden state
    private readonly Batch? _followers;
    private readonly Branch[] _nextBranches = [];
    private readonly OutputHead? _nextHead;

    /// <summary>Whether the file has a layer that predicts the token after the next.</summary>
    public bool PredictsNextTokens => _transformer.NextToken is not null;

    /// <summary>The hidden state of a row of the last pass, behind the output norm.</summary>
    /// <param name="row">Its place in the batch.</param>
    /// <param name="hidden">Receives it <c>[embedding]</c>.</param>
    internal void CopyHidden(int row, Span<float> hidden)
    {
        MoveTo(_processor, _residual.Rows(_rows));
        _transformer.OutputNorm.Row(_residual.Rows(row + 1).Row(row), hidden);
    }

    /// <summary>Predicts, for positions that the model has computed, the token after the one that follows.</summary>
    /// <param name="sequence">Their sequence; the layer's keys and values are stored there, and its length stays.</param>
    /// <param name="first">The first position.</param>
    /// <param name="followers">The token that follows each position.</param>
    /// <param name="hidden">Each position's hidden state, <c>[followers, embedding]</c>.</param>
    /// <param name="lastHidden">Receives the layer's own hidden state of the last position <c>[embedding]</c>; may be <paramref name="hidden"/>.</param>
    /// <param name="wantsLogits">Whether the logits of the last position are computed.</param>
    /// <returns>These logits, valid until the next pass.</returns>
    internal Logits PredictNext(
        Sequence sequence, int first, ReadOnlySpan<int> followers, ReadOnlySpan<float> hidden, Span<float> lastHidden, bool wantsLogits)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        NextTokenLayer layer = _transformer.NextToken!;
        Batch batch = _followers!;
        batch.Clear();
        sequence.Reserve(first + followers.Length);
        for (int row = 0; row < followers.Length; row++)
            batch.Add(sequence, first + row, followers[row]);

        Activations x = _residual.Rows(batch.Count);
        Join(layer, batch, hidden, _joint!.Rows(batch.Count), x);
        foreach (RotaryEmbedding rope in _transformer.Ropes)
            rope.Prepare(batch);
        var step = new Step(batch, _transformer.Blocks.Length);
        foreach (Branch branch in _nextBranches)
            _processor.Run(branch, step, x);
        RequireFinite(x, step.Layer);
        x.Row(batch.Count - 1).CopyTo(lastHidden);
        Logits logits = new(_logits, 0, Info.VocabularySize);
        if (wantsLogits)
        {
            Activations room = RoomForLogits(1);
            _processor.Run(_nextHead!, x.Slice(batch.Count - 1, 1), room, null);
            logits = Checked(room, null);
        }

        GC.KeepAlive(this);
        return logits;
    }

    /// <summary>x = W · [norm(embedding); norm(h)].</summary>
    private void Join(NextTokenLayer layer, Batch batch, ReadOnlySpan<float> hidden, in Activations joint, in Activations x)
    {
        int embedding = Info.EmbeddingLength;
        for (int row = 0; row < batch.Count; row++)
        {
            Span<float> follower = joint.Row(row)[..embedding];
            layer.Embedding.Row(batch.Rows[row].Token, follower);
            layer.EmbeddingNorm.Row(follower, follower);
            layer.HiddenNorm.Row(hidden.Slice(row * embedding, embedding), joint.Row(row)[embedding..]);
        }

        if (layer.Joint.ReadsQ8)
            _cpu.Quantize(joint);
        layer.Joint.Forward(joint, x);
    }
}
