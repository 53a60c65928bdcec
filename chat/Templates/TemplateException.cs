namespace Pure.Chat.Templates;

/// <summary>A template that cannot be read or rendered. The message is one sentence: which template, which line, what.</summary>
public sealed class TemplateException : Exception
{
    /// <summary>A failure that this library found.</summary>
    internal TemplateException(string template, int line, string problem)
        : base($"{template}, line {line}: {problem.TrimEnd('.')}.")
    {
        Template = template;
        Line = line;
    }

    private TemplateException(string template, int line, string message, bool isRaised)
        : base(message)
    {
        Template = template;
        Line = line;
        IsRaisedByTemplate = isRaised;
    }

    /// <summary>The name of the template.</summary>
    public string Template { get; }

    /// <summary>The line in the template, counted from 1.</summary>
    public int Line { get; }

    /// <summary>Whether the template itself called <c>raise_exception</c>: <see cref="Exception.Message"/> is then exactly what it said.</summary>
    public bool IsRaisedByTemplate { get; }

    /// <summary>What <c>raise_exception(message)</c> makes.</summary>
    internal static TemplateException Raised(string template, int line, string message) => new(template, line, message, isRaised: true);
}
