using System.CommandLine;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Models;

namespace Pure.Serve.CommandLine;

/// <summary>The argument MODEL: a GGUF file, or nothing (or the name of the embedded model) for the embedded one.</summary>
internal sealed class ModelArgument
{
    /// <summary>The embedded model's name, which a file of that name goes before.</summary>
    internal const string EmbeddedName = "stories-moe";

    private readonly Argument<string?> _path = new("MODEL")
    {
        Description = $"A GGUF file; of a model in several files, the first. Default: the embedded model {EmbeddedName}.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>The argument, for parsing and help.</summary>
    internal Argument<string?> Argument => _path;

    /// <summary>Opens what the command line names.</summary>
    internal GgufFile Open(ParseResult parsed) => GgufFile.Open(parsed.GetValue(_path) ?? throw new UsageException("no model is named; give a GGUF file."));

    /// <summary>Opens what the command line names and prepares its weights.</summary>
    internal Model Load(ParseResult parsed, ModelOptions options)
    {
        GgufFile file = Open(parsed);
        try
        {
            return Model.Load(file, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
