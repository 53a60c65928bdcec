using System.Text;

namespace Pure.Serve.Commands;

/// <summary>What a user types: lines, and texts of several lines between <c>"""</c>.</summary>
internal sealed class ChatInput(Stream input) : IDisposable
{
    private const string Quote = "\"\"\"";

    // Ill-formed bytes become U+FFFD: a conversation does not end over them.
    private readonly StreamReader _reader = new(input, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false, leaveOpen: true);

    /// <summary>The next line, or null at the end of the input. Quoted text is no command, whatever it begins with.</summary>
    internal (string Text, bool IsQuoted)? Read()
    {
        if (_reader.ReadLine() is not { } line)
            return null;
        string start = line.TrimStart();
        if (!start.StartsWith(Quote, StringComparison.Ordinal))
            return (line, false);
        string rest = start[Quote.Length..];
        var text = new StringBuilder();
        while (true)
        {
            int end = rest.IndexOf(Quote, StringComparison.Ordinal);
            if (end >= 0)
                return (text.Append(rest.AsSpan(0, end)).ToString(), true);
            text.Append(rest).Append('\n');
            if (_reader.ReadLine() is not { } next)
                return (text.ToString().TrimEnd('\n'), true);
            rest = next;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();
}
