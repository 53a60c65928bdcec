using System.Text;

namespace Pure.Serve.Commands;

/// <summary>What a user types: lines, and texts of several lines between <c>"""</c>.</summary>
internal sealed class ChatInput : IDisposable
{
    private const string Quote = "\"\"\"";
    private const string Prompt = "> ";
    private const string Continuation = "… ";

    private readonly CommandStreams _streams;

    // Ill-formed bytes become U+FFFD: a conversation does not end over them.
    private readonly StreamReader _reader;
    private readonly ChatLineEditor? _editor;

    internal ChatInput(CommandStreams streams)
    {
        _streams = streams;
        _reader = new StreamReader(streams.Input, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        bool canDraw = Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb") || OperatingSystem.IsWindows();
        if (streams is { InputIsTerminal: true, OutputIsTerminal: true } && canDraw)
            _editor = new ChatLineEditor(streams.Output, static () => Console.ReadKey(intercept: true), static () => Console.WindowWidth);
    }

    /// <summary>Gives up what is being typed.</summary>
    internal void Abandon() => _editor?.Abandon(Prompt, "Ctrl-D or /bye ends the conversation.");

    /// <summary>The next line, or null at the end of the input. Quoted text is no command, whatever it begins with.</summary>
    internal (string Text, bool IsQuoted)? Read()
    {
        string? line = ReadLine(Prompt);
        while (line is not null)
        {
            string start = line.TrimStart();
            if (!start.StartsWith(Quote, StringComparison.Ordinal))
                return (line, false);
            if (ReadQuoted(start[Quote.Length..], out line) is { } text)
                return (text, true);
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    /// <summary>The rest of a quoted text; null where the user gave it up, and began again with <paramref name="other"/>.</summary>
    private string? ReadQuoted(string rest, out string? other)
    {
        other = null;
        var text = new StringBuilder();
        while (true)
        {
            int end = rest.IndexOf(Quote, StringComparison.Ordinal);
            if (end >= 0)
                return text.Append(rest.AsSpan(0, end)).ToString();
            text.Append(rest).Append('\n');
            _editor?.WasAbandoned = false;
            other = ReadLine(Continuation);
            if (_editor is { WasAbandoned: true })
                return null;
            if (other is null)
                return text.ToString().TrimEnd('\n');
            rest = other;
        }
    }

    private string? ReadLine(string prompt)
    {
        if (_editor is not null)
            return _editor.Read(prompt);
        if (_streams.OutputIsTerminal)
            _streams.Output.Write(prompt);
        return _reader.ReadLine();
    }
}
