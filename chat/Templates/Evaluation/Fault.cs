namespace Pure.Chat.Templates;

/// <summary>Something that a template cannot do; <see cref="ChatTemplate"/> adds the name and the line.</summary>
internal class Fault(string message) : Exception(message);

/// <summary>What the template itself says with <c>raise_exception</c>.</summary>
internal sealed class RaisedFault(string message) : Fault(message);

/// <summary>A text that is no template.</summary>
internal sealed class SyntaxFault(int line, string message) : Exception(message)
{
    internal int Line { get; } = line;
}
