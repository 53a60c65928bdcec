using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>Where guesses come from. Nothing that is guessed changes what is written.</summary>
internal abstract class DraftSource : IDisposable
{
    /// <summary>Guesses what follows the tokens.</summary>
    /// <param name="tokens">The text so far; each call's begins with that of the call before.</param>
    /// <param name="draft">Receives the guesses.</param>
    /// <returns>How many there are, from the first on.</returns>
    internal abstract int Propose(ReadOnlySpan<int> tokens, Span<int> draft);

    /// <summary>Sees a pass of the model that writes, before its next one; the caller holds the model's gate.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">The rows of the pass, all of one sequence.</param>
    /// <param name="tokens">The tokens that are certain.</param>
    internal virtual void Follow(Model model, ReadOnlySpan<BatchRow> rows, ReadOnlySpan<int> tokens)
    {
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }
}
