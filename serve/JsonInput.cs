using System.Text.Json;

namespace Pure.Serve;

/// <summary>JSON that a user gives: well-formed or refused with the place where it is not.</summary>
internal static class JsonInput
{
    private const int MostDepth = 256;

    /// <summary>The JSON in a file, or on standard input where <paramref name="path"/> is <c>-</c>.</summary>
    /// <exception cref="UsageException">It cannot be read, is no UTF-8 or no JSON, or nests too deep.</exception>
    internal static JsonDocument Read(string path, CommandStreams streams)
    {
        string text = TextInput.Read(path, streams);
        try
        {
            return JsonDocument.Parse(text.StartsWith('\uFEFF') ? text[1..] : text, new JsonDocumentOptions { MaxDepth = MostDepth });
        }
        catch (JsonException error)
        {
            int place = error.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            string problem = (place < 0 ? error.Message : error.Message[..place]).TrimEnd('.');
            throw new UsageException(
                $"{(path == "-" ? "standard input" : path)} is no JSON, line {error.LineNumber + 1}, byte {error.BytePositionInLine}: {problem}.");
        }
    }
}
