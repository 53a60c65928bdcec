namespace Pure.Tokenizers.Pipeline;

/// <summary>Turns a word into tokens (a <c>model</c> of <c>tokenizer.json</c>). Immutable; threads may share it.</summary>
internal abstract class SubwordModel
{
    /// <summary>Adds the ids of a word's tokens to a list.</summary>
    /// <param name="word">Not empty, well-formed.</param>
    /// <param name="merger">Scratch.</param>
    /// <param name="destination">Where the ids go.</param>
    public abstract void Encode(ReadOnlySpan<char> word, PairMerger merger, List<int> destination);
}
