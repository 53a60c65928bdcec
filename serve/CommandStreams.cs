using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Pure.Serve;

/// <summary>
/// What a command reads and writes: the console's streams, or a test's. Text is UTF-8 without a mark, lines end with a line feed, and
/// every write is flushed.
/// </summary>
internal sealed class CommandStreams
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    internal CommandStreams(Stream input, Stream output, Stream error)
    {
        Input = input;
        Output = Text(output);
        Error = Text(error);
    }

    /// <summary>Standard input, as bytes.</summary>
    internal Stream Input { get; }

    /// <summary>Standard output.</summary>
    internal StreamWriter Output { get; }

    /// <summary>Standard error.</summary>
    internal StreamWriter Error { get; }

    /// <summary>Whether a person watches standard error, so that progress may be drawn there.</summary>
    internal bool ErrorIsTerminal { get; init; }

    /// <summary>Whether a person watches standard output.</summary>
    internal bool OutputIsTerminal { get; init; }

    /// <summary>Whether a person types the standard input.</summary>
    internal bool InputIsTerminal { get; init; }

    /// <summary>Columns that help may use.</summary>
    internal int Width { get; private init; } = 100;

    /// <summary>What Ctrl-C does, where there is a console.</summary>
    internal Interruption? Interruption { get; init; }

    internal static CommandStreams OfConsole(Interruption interruption) =>
        new(Console.OpenStandardInput(), OpenStandardOutput(), Console.OpenStandardError())
        {
            Interruption = interruption,
            ErrorIsTerminal = !Console.IsErrorRedirected,
            OutputIsTerminal = !Console.IsOutputRedirected,
            InputIsTerminal = !Console.IsInputRedirected,
            Width = Console.IsOutputRedirected ? 100 : Math.Clamp(Console.WindowWidth, 60, 120),
        };

    /// <summary>
    /// The console's own stream says nothing when the reader of a pipe is gone (<c>pure run | head -1</c>), and generation would go
    /// on for nobody; a plain file stream throws. A plain file stream in turn writes a file at offsets of its own and would
    /// overwrite what others append, so it serves only where there is no offset.
    /// </summary>
    private static Stream OpenStandardOutput()
    {
        if (OperatingSystem.IsWindows())
            return Console.OpenStandardOutput();
        try
        {
            var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            return stream.CanSeek ? Console.OpenStandardOutput() : stream;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Console.OpenStandardOutput();
        }
    }

    private static StreamWriter Text(Stream stream) => new(stream, Utf8) { AutoFlush = true, NewLine = "\n" };
}
