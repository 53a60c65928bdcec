using Pure.Chat;

namespace Pure.Serve;

/// <summary>The file of <c>--prompt-cache</c>: what it has of a text is not read again.</summary>
internal sealed class PromptCacheFile : IDisposable
{
    private readonly string _path;

    private PromptCacheFile(string path, TextSession session)
    {
        _path = path;
        Session = session;
    }

    /// <summary>Holds what the file has, until a prompt says how much of it fits.</summary>
    internal TextSession Session { get; }

    /// <summary>Opens a session for the prompt and its continuation, and fills it from the file where there is one.</summary>
    /// <exception cref="UsageException">The file cannot be read or written.</exception>
    /// <exception cref="Pure.Engine.ModelFormatException">It is damaged, or does not fit the model.</exception>
    internal static PromptCacheFile Open(string path, LanguageModel model, string prompt, TextOptions options)
    {
        OutputFile.Create(path).Dispose(); // what cannot be stored is said before the work
        int limit = model.Model.Info.ContextLength;
        long needed = 1L + model.Tokenizer.Encode(prompt, addSpecial: false, options.ParseSpecial).Length + (options.MaxTokens ?? limit);
        var file = new PromptCacheFile(path, model.CreateSession(options.ContextLength ?? (int)Math.Min(needed, limit)));
        try
        {
            if (File.Exists(path))
            {
                using FileStream stream = File.OpenRead(path);
                file.Session.Restore(stream);
            }

            return file;
        }
        catch (UnauthorizedAccessException)
        {
            file.Dispose();
            throw new UsageException($"{path} cannot be read: permission denied.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Says how much of the prompt the file had and, where that was not all, writes what there is now in its place.</summary>
    internal void Store(TextCompletion completion, CommandStreams streams)
    {
        int restored = Session.RestoredTokens;
        streams.Error.Write($"restored    {Figures.Count(restored)} of {Figures.Count(completion.PromptTokens.Count)} prompt tokens\n");
        if (Session.Length == 0) // stopped before the text was read
            return;
        if (restored >= completion.PromptTokens.Count - 1 && File.Exists(_path))
            return;
        using OutputFile file = OutputFile.Create(_path);
        Session.Save(file.Stream);
        file.Complete();
    }

    /// <inheritdoc/>
    public void Dispose() => Session.Dispose();
}
