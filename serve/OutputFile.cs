namespace Pure.Serve;

/// <summary>
/// A file that appears whole or not at all: it is written under a temporary name beside its place and renamed at the end. A device
/// such as <c>/dev/stdout</c> is written as it is.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string _path;
    private readonly string? _temporary;
    private readonly FileStream _stream;

    private OutputFile(string path, string? temporary, FileStream stream)
    {
        _path = path;
        _temporary = temporary;
        _stream = stream;
    }

    /// <summary>Where to write.</summary>
    internal Stream Stream => _stream;

    /// <summary>Opens <paramref name="path"/> for writing; nothing stands there before <see cref="Complete"/>.</summary>
    /// <exception cref="UsageException">Nothing can be written there.</exception>
    internal static OutputFile Create(string path)
    {
        if (Directory.Exists(path))
            throw new UsageException($"{path} is a directory; give the name of a file to write.");
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
        if (!Directory.Exists(folder))
            throw new UsageException($"{path} cannot be written: there is no folder {folder}; create it first.");
        try
        {
            if (Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal))
                return new OutputFile(path, null, new FileStream(path, FileMode.Open, FileAccess.Write));

            string target = File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path : path;
            string temporary = $"{target}.{Environment.ProcessId}.tmp";
            return new OutputFile(target, temporary, new FileStream(temporary, FileMode.Create, FileAccess.Write));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be written: {Reason(error)}.");
        }
    }

    /// <summary>Puts the file in its place.</summary>
    internal void Complete()
    {
        _stream.Dispose();
        if (_temporary is not null)
            File.Move(_temporary, _path, overwrite: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream.Dispose();
        if (_temporary is not null)
            File.Delete(_temporary);
    }

    private static string Reason(Exception error) =>
        error is UnauthorizedAccessException ? "permission denied" : error.Message.TrimEnd('.');
}
