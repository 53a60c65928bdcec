using Pure.Engine;
using Pure.Engine.Formats;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Formats.HuggingFace;
using Pure.Tokenizers;

namespace Pure.Chat;

/// <summary>
/// The tokenizer that goes with a model: the <c>tokenizer.ggml.*</c> keys of a GGUF file, which need not have tensors, or the
/// <c>tokenizer.json</c> of a Hugging Face folder, or if there is none, its <c>tokenizer.model</c>.
/// </summary>
public static class ModelTokenizer
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Makes the tokenizer of the GGUF file or the folder at <paramref name="path"/>.</summary>
    /// <exception cref="ModelFormatException">The file cannot be read, or has no vocabulary that is supported.</exception>
    public static Tokenizer Open(string path)
    {
        if (Directory.Exists(path))
            return OpenFolder(path);
        using GgufFile file = GgufFile.Open(path);
        return Create(file);
    }

    /// <summary>Makes the tokenizer of an open model. It does not need the model any more.</summary>
    /// <exception cref="ModelFormatException">The model has no vocabulary that is supported.</exception>
    public static Tokenizer Create(ModelFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file is HuggingFaceFolder)
            return OpenFolder(file.Path);
        if (!file.Metadata.Contains(Prefix + "model") || !file.Metadata.Contains(Prefix + "tokens"))
        {
            throw new ModelFormatException(
                $"{file.Path}: the file has no vocabulary ({Prefix}model and {Prefix}tokens are expected); convert the model again with its tokenizer.");
        }

        try
        {
            return Tokenizer.Create(Read(file));
        }
        catch (TokenizerException exception)
        {
            throw new ModelFormatException($"{file.Path}: {exception.Message}", exception);
        }
    }

    private static Tokenizer OpenFolder(string path)
    {
        bool hasJson = File.Exists(Path.Combine(path, "tokenizer.json"));
        if (!hasJson && !File.Exists(Path.Combine(path, "tokenizer.model")))
        {
            throw new ModelFormatException(
                $"{path}: this is a directory with neither a tokenizer.json nor a tokenizer.model; download it too, or name a GGUF file.");
        }

        try
        {
            return hasJson ? TokenizerJson.Open(path) : SentencePieceModel.Open(path);
        }
        catch (TokenizerException exception)
        {
            throw new ModelFormatException(exception.Message, exception);
        }
    }

    /// <summary>What the file says about its vocabulary.</summary>
    private static VocabularyData Read(ModelFile file)
    {
        Metadata metadata = file.Metadata;
        return new VocabularyData
        {
            Model = metadata.GetString(Prefix + "model"),
            PreTokenizer = metadata.FindString(Prefix + "pre"),
            ModelName = metadata.FindString("general.name"),
            Tokens = metadata.GetStrings(Prefix + "tokens"),
            Scores = metadata.FindFloats(Prefix + "scores"),
            Kinds = metadata.FindIntegers(Prefix + "token_type") is { } kinds
                ? Array.ConvertAll(kinds, kind => kind is >= 0 and <= int.MaxValue ? (int)kind : -1)
                : null,
            Merges = metadata.FindStrings(Prefix + "merges"),
            Bos = Id("bos_token_id"),
            Eos = Id("eos_token_id"),
            Eot = Id("eot_token_id"),
            Unknown = Id("unknown_token_id"),
            Padding = Id("padding_token_id"),
            Separator = Id("seperator_token_id"),
            AddBos = metadata.FindBoolean(Prefix + "add_bos_token"),
            AddEos = metadata.FindBoolean(Prefix + "add_eos_token"),
            AddSpacePrefix = metadata.FindBoolean(Prefix + "add_space_prefix"),
        };

        // Some converters write -1, or 2^32 - 1, for "none".
        int? Id(string key) => metadata.FindInteger(Prefix + key) switch
        {
            null or -1 or uint.MaxValue => null,
            long id => id is >= 0 and <= int.MaxValue
                ? (int)id
                : throw new ModelFormatException(
                    $"{file.Path}: key '{Prefix}{key}' is {id}, expected a token id; the file is damaged: download it again."),
        };
    }
}
