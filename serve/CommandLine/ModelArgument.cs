using System.CommandLine;
using Pure.Chat;
using Pure.Engine;
using Pure.Engine.Formats;
using Pure.Engine.Models;
using Pure.Tokenizers;

namespace Pure.Serve.CommandLine;

/// <summary>The argument MODEL: a GGUF file, a folder, or nothing (or the name of the embedded model) for the embedded one.</summary>
internal sealed class ModelArgument
{
    /// <summary>The embedded model's name; a file of that name goes before it.</summary>
    internal const string EmbeddedName = "stories-moe";

    private readonly string? _variable;
    private readonly Argument<string?> _path;

    /// <param name="variable">The variable of the environment that names the model where the command line does not; none for most commands.</param>
    internal ModelArgument(string? variable = null)
    {
        _variable = variable;
        string otherwise = variable is null ? "" : $"what the environment's {variable} names, or ";
        _path = new Argument<string?>("MODEL")
        {
            Description = $"A GGUF file (of a model in several files, the first) or a Hugging Face folder. Default: {otherwise}the embedded model {EmbeddedName}.",
            Arity = ArgumentArity.ZeroOrOne,
        };
    }

    /// <summary>The argument, for parsing and help.</summary>
    internal Argument<string?> Argument => _path;

    /// <summary>Whether the command line names the embedded model, or nothing.</summary>
    internal bool IsEmbedded(ParseResult parsed) => Path(parsed) is null;

    /// <summary>Opens a model that reads and writes text.</summary>
    internal LanguageModel Load(ParseResult parsed, ModelOptions options) =>
        Path(parsed) is { } path ? LanguageModel.Load(path, options) : LanguageModel.LoadDefault(options);

    /// <summary>Opens a model that reads token ids; the file's tokenizer may be of any kind, or missing.</summary>
    internal Model LoadModel(ParseResult parsed, ModelOptions options) =>
        Path(parsed) is { } path ? Model.Load(path, options) : LanguageModel.LoadDefault(options).Model;

    /// <summary>Opens a vocabulary; the file need not have tensors.</summary>
    internal Tokenizer LoadTokenizer(ParseResult parsed, ModelOptions options)
    {
        if (Path(parsed) is { } path)
            return ModelTokenizer.Open(path);
        using LanguageModel model = LanguageModel.LoadDefault(options);
        return model.Tokenizer;
    }

    /// <summary>Opens a file, and prepares its weights if it has any of an architecture that is supported.</summary>
    internal (ModelFile File, Model? Model) Open(ParseResult parsed, ModelOptions options)
    {
        if (Path(parsed) is not { } path)
        {
            Model embedded = LanguageModel.LoadDefault(options).Model;
            return (embedded.File, embedded);
        }

        ModelFile file = ModelFile.Open(path);
        try
        {
            return (file, file.Tensors.Count == 0 ? null : Model.Load(file, options));
        }
        catch (ModelFormatException error) when (error.UnsupportedArchitecture is not null)
        {
            return (file, null);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The file that the command line names, or null for the embedded model.</summary>
    internal string? Path(ParseResult parsed)
    {
        string? path = parsed.GetValue(_path) ?? Variable();
        return path == EmbeddedName && !System.IO.Path.Exists(path) ? null : path;
    }

    private string? Variable() =>
        _variable is not null && Environment.GetEnvironmentVariable(_variable) is { Length: > 0 } path ? path : null;
}
