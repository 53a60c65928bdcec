using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Pure.Serve;

/// <summary>
/// Texts that a user gives: well-formed UTF-8 or refused. Nothing is translated, trimmed or dropped, a byte-order mark included.
/// </summary>
internal static class TextInput
{
    private const char Replacement = '\uFFFD';

    /// <summary>The text in a file, or on standard input where <paramref name="path"/> is <c>-</c>.</summary>
    /// <exception cref="UsageException">It cannot be read, or it is not UTF-8.</exception>
    internal static string Read(string path, CommandStreams streams)
    {
        string name = path == "-" ? "standard input" : path;
        return Decode(path == "-" ? ReadToEnd(streams.Input) : ReadFile(path), name);
    }

    /// <summary>
    /// Checks a text from the command line. The runtime has decoded it and put U+FFFD where the bytes were not UTF-8; what it was
    /// can no longer be told from a U+FFFD that was typed.
    /// </summary>
    /// <exception cref="UsageException">It is not well-formed, or empty.</exception>
    internal static string Check(string text, string option)
    {
        if (text.Length == 0)
            throw new UsageException($"{option} is empty; give some text.");
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value == Replacement)
                throw new UsageException($"{option} is not UTF-8 at character {at}; give the text in UTF-8, or in a file with --file.");
            at++;
        }

        return text;
    }

    private static string Decode(byte[] bytes, string name)
    {
        char[] characters = ArrayPool<char>.Shared.Rent(bytes.Length);
        try
        {
            OperationStatus status = Utf8.ToUtf16(bytes, characters, out int read, out int written, replaceInvalidSequences: false);
            if (status != OperationStatus.Done)
            {
                throw new UsageException(
                    $"{name} is not UTF-8: the byte 0x{bytes[read]:X2} at offset {read} begins no character; convert it to UTF-8.");
            }

            return new string(characters, 0, written);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(characters);
        }
    }

    private static byte[] ReadFile(string path)
    {
        if (Directory.Exists(path))
            throw new UsageException($"{path} is a directory; give the name of a text file.");
        try
        {
            using FileStream file = File.OpenRead(path);
            return ReadToEnd(file);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UsageException($"{path}: there is no such file; check the path.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{path} cannot be read: {error.Message.TrimEnd('.')}.");
        }
    }

    private static byte[] ReadToEnd(Stream stream)
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
