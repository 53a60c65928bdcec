using System.CommandLine;
using System.Globalization;
using Pure.Chat;
using Pure.Engine.Models;

namespace Pure.Serve.CommandLine;

/// <summary>The ways to give token ids: as they are, or as a text that the model's tokenizer reads.</summary>
internal sealed class TokenSource
{
    private readonly Option<string?> _tokens = ValueOptions.Text(
        "--tokens", [], "IDS", "Token ids separated by commas or blanks, taken as they are; needs no tokenizer.");

    private readonly TextSource _prompt = new("A text, tokenized as pure tokenize does it.");

    internal IReadOnlyList<Option> Options => [_tokens, .. _prompt.Options];

    /// <summary>Opens the model and reads the ids for it.</summary>
    /// <exception cref="UsageException">None or two texts are given, or the ids do not fit the model.</exception>
    internal (Model Model, int[] Tokens) Load(ParseResult parsed, CommandStreams streams, ModelArgument argument, ModelOptions options)
    {
        string? words = parsed.GetValue(_tokens);
        string? prompt = _prompt.Read(parsed, streams);
        if (words is null == prompt is null)
            throw new UsageException($"{parsed.CommandResult.Command.Name} needs either ids or a text: --tokens IDS, --prompt TEXT or --file F.");
        int[] tokens = words is null ? [] : Parse(words);
        Model model;
        if (prompt is null)
        {
            model = argument.LoadModel(parsed, options);
        }
        else
        {
            LanguageModel language = argument.Load(parsed, options);
            tokens = language.Tokenizer.Encode(prompt, addSpecial: true, parseSpecial: true);
            model = language.Model;
        }

        try
        {
            Check(tokens, model.Info);
            return (model, tokens);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static int[] Parse(string words)
    {
        string[] parts = words.Split([',', ' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length == 0)
            throw new UsageException("--tokens is empty; give ids such as --tokens 1,2,3.");
        var tokens = new int[parts.Length];
        for (int index = 0; index < parts.Length; index++)
        {
            if (!int.TryParse(parts[index], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out tokens[index]))
            {
                throw new UsageException(
                    $"--tokens has \"{parts[index]}\" as its item {index + 1}, expected a whole number; give ids such as --tokens 1,2,3.");
            }
        }

        return tokens;
    }

    private static void Check(int[] tokens, ModelInfo info)
    {
        if (tokens.Length == 0)
            throw new UsageException("the text is empty; give at least one token.");
        if (tokens.Length > info.ContextLength)
            throw new UsageException($"the text has {tokens.Length} tokens, but the model's context is {info.ContextLength}; shorten it.");
        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)info.VocabularySize)
                throw new UsageException($"token {token} is outside the vocabulary, whose ids are 0 to {info.VocabularySize - 1}.");
        }
    }
}
