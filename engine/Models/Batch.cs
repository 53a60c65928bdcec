using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>
/// The unit of work: rows of many sequences. A prompt chunk, a decode step, sixteen sequences decoding while a seventeenth
/// prefills are all batches, and no layer knows which.
/// </summary>
public sealed class Batch
{
    private readonly BatchRow[] _rows;

    /// <summary>A batch with room for <paramref name="capacity"/> rows.</summary>
    public Batch(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _rows = new BatchRow[capacity];
    }

    /// <summary>Rows it can hold.</summary>
    public int Capacity => _rows.Length;

    /// <summary>Rows it holds.</summary>
    public int Count { get; private set; }

    /// <summary>The rows.</summary>
    public ReadOnlySpan<BatchRow> Rows => _rows.AsSpan(0, Count);

    /// <summary>Adds the token at the next position of a sequence.</summary>
    /// <param name="sequence">The sequence the token continues.</param>
    /// <param name="token">Its id.</param>
    /// <param name="wantsLogits">Whether the forward pass computes this row's logits.</param>
    public void Add(Sequence sequence, int token, bool wantsLogits) => Add(sequence, token, default, wantsLogits);

    /// <summary>Adds an embedding in a token's place (an image patch, a virtual token) at the next position of a sequence.</summary>
    /// <param name="sequence">The sequence it continues.</param>
    /// <param name="embedding">The input embedding, <c>[embedding length]</c>; not copied.</param>
    /// <param name="wantsLogits">Whether the forward pass computes this row's logits.</param>
    public void Add(Sequence sequence, ReadOnlyMemory<float> embedding, bool wantsLogits) => Add(sequence, -1, embedding, wantsLogits);

    /// <summary>Adds a token at a position of a sequence, for a layer that reads positions on its own account.</summary>
    internal void Add(Sequence sequence, int position, int token) =>
        _rows[Count++] = new BatchRow(sequence, position, token, default, WantsLogits: false);

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        _rows.AsSpan(0, Count).Clear();
        Count = 0;
    }

    private void Add(Sequence sequence, int token, ReadOnlyMemory<float> embedding, bool wantsLogits)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        if (Count == _rows.Length)
            throw new InvalidOperationException($"The batch holds its {_rows.Length} rows already.");
        int position = sequence.Length;
        for (int row = Count - 1; row >= 0; row--)
        {
            if (ReferenceEquals(_rows[row].Sequence, sequence))
            {
                position = _rows[row].Position + 1;
                break;
            }
        }

        _rows[Count++] = new BatchRow(sequence, position, token, embedding, wantsLogits);
    }
}

/// <summary>One row of a batch.</summary>
/// <param name="Sequence">The sequence it continues.</param>
/// <param name="Position">Its position there, from 0.</param>
/// <param name="Token">Token id, or -1 where an embedding stands in its place.</param>
/// <param name="Embedding">Input embedding, or empty.</param>
/// <param name="WantsLogits">Whether its logits are computed.</param>
public readonly record struct BatchRow(
    Sequence Sequence, int Position, int Token, ReadOnlyMemory<float> Embedding, bool WantsLogits);
