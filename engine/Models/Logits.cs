using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>
/// The logits of the rows that wanted them, in batch order: <c>[Count, vocabulary]</c>. Valid until the model's next forward pass.
/// </summary>
public readonly struct Logits
{
    private readonly AlignedBuffer<float> _values;
    private readonly int _vocabulary;

    internal Logits(AlignedBuffer<float> values, int count, int vocabulary)
    {
        _values = values;
        _vocabulary = vocabulary;
        Count = count;
    }

    /// <summary>Number of rows.</summary>
    public int Count { get; }

    /// <summary>One row, <c>[vocabulary]</c>, before any softmax.</summary>
    public ReadOnlySpan<float> this[int row]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Count, nameof(row));
            return _values.Writable((long)row * _vocabulary, _vocabulary);
        }
    }
}
