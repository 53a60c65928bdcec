using Pure.Engine.Memory;

namespace Pure.Engine.Layers;

/// <summary>
/// The (maximum, sum, vector) of spans that are not merged yet: a slot for each row and span. Slots are numbered on and on; their places
/// are used again.
/// </summary>
internal sealed class SpanResults(int slots, int heads, int valueSize) : IDisposable
{
    // [slots, heads, valueSize], [slots, heads], [slots, heads]
    private readonly AlignedBuffer<float> _vectors = new((long)slots * heads * valueSize);
    private readonly AlignedBuffer<float> _maxima = new((long)slots * heads);
    private readonly AlignedBuffer<float> _sums = new((long)slots * heads);

    /// <summary>Vectors of some heads <c>[count, valueSize]</c>.</summary>
    internal Span<float> Vectors(int slot, int firstHead, int count) =>
        _vectors.Writable((((long)(slot % slots) * heads) + firstHead) * valueSize, count * valueSize);

    /// <summary>Maxima of some heads <c>[count]</c>.</summary>
    internal Span<float> Maxima(int slot, int firstHead, int count) => _maxima.Writable(((long)(slot % slots) * heads) + firstHead, count);

    /// <summary>Sums of some heads <c>[count]</c>.</summary>
    internal Span<float> Sums(int slot, int firstHead, int count) => _sums.Writable(((long)(slot % slots) * heads) + firstHead, count);

    public void Dispose()
    {
        _vectors.Dispose();
        _maxima.Dispose();
        _sums.Dispose();
    }
}
