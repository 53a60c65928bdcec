using System.Runtime.CompilerServices;

namespace Pure.Chat.Templates;

/// <summary>Counts what a rendering uses up. Whatever takes time or memory in proportion to its input is counted before it is done.</summary>
internal sealed class Budget(RenderOptions limits)
{
    private long _steps;
    private long _characters;
    private int _depth;

    /// <summary>Counts nodes evaluated or items looked at.</summary>
    internal void Step(long count = 1)
    {
        _steps += count;
        if (_steps > limits.MaxSteps || count < 0)
            throw new Fault($"the template takes more than {limits.MaxSteps} steps (does a loop never end?)");
    }

    /// <summary>Counts a text that is looked through or made.</summary>
    internal void Characters(long count)
    {
        _characters += count;
        if (_characters > limits.MaxCharacters || count < 0)
            throw new Fault($"the template handles more than {limits.MaxCharacters} characters of text");
    }

    /// <summary>Counts a text that is about to be made, and bounds its length.</summary>
    internal void NewText(long length)
    {
        CheckLength(length);
        Characters(length);
    }

    /// <summary>Bounds the length of one text.</summary>
    internal void CheckLength(long length)
    {
        if (length > limits.MaxTextLength)
            throw new Fault($"the template makes a text longer than {limits.MaxTextLength} characters");
    }

    /// <summary>Counts a search: positions times what is compared at each, in vectors of 32.</summary>
    internal void Search(string text, string sought) =>
        Characters(text.Length + (Math.Max(0L, text.Length - sought.Length) * (sought.Length / 32)));

    /// <summary>Counts a strip: each letter of the text may be compared with each of those to take away.</summary>
    internal void Strip(string text, string? letters) => Characters(text.Length + (text.Length * (long)(letters?.Length ?? 0) / 32));

    /// <summary>Goes one level deeper. <see cref="Leave"/> is not called when something fails: rendering ends then.</summary>
    internal void Enter()
    {
        if (++_depth > limits.MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new Fault($"the template nests or recurses deeper than {Math.Min(_depth, limits.MaxDepth)} levels");
    }

    /// <summary>Comes back from <see cref="Enter"/>.</summary>
    internal void Leave() => _depth--;
}
