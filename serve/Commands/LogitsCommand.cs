using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Pure.Chat;
using Pure.Engine.Models;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Commands;

/// <summary><c>pure logits</c>: the logits of every position of a text, for comparing engines.</summary>
internal sealed class LogitsCommand : PureCommand
{
    private readonly ModelArgument _model = new();
    private readonly EngineOptions _engine = new();

    private readonly Option<string?> _tokens = ValueOptions.Text(
        "--tokens", [], "IDS", "Token ids separated by commas or blanks, taken as they are; needs no tokenizer.");

    private readonly TextSource _prompt = new("A text, tokenized as pure tokenize does it.");
    private readonly Option<string?> _out = ValueOptions.Text("--out", ["-o"], "F", "The file to write; it appears when it is whole.");

    internal LogitsCommand()
        : base("logits", "Write the logits of every position of a text to a file.")
    {
        Add(_model.Argument);
        AddGroups(new OptionGroup("Options", [_tokens, .. _prompt.Options, _out]), _engine.Group);
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure logits -p \"Once upon a time\" --out logits.f32", "five rows from the embedded model, the first after the beginning-of-text token"),
        new("pure logits model.gguf --tokens 0,439,448,274,411 --out logits.f32", "five rows, one for each id"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "The file holds little-endian 32-bit floats, one row of vocabulary size per position, before any softmax: "
        + "numpy.fromfile(\"logits.f32\", \"<f4\").reshape(positions, -1) reads it.",
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        string path = parsed.GetValue(_out) ?? throw new UsageException("logits needs a file to write: --out F.");
        string? words = parsed.GetValue(_tokens);
        string? prompt = _prompt.Read(parsed, streams);
        if (words is null == prompt is null)
            throw new UsageException("logits needs either ids or a text: --tokens IDS, --prompt TEXT or --file F.");
        int[] tokens = words is null ? [] : ParseTokens(words);
        using Model model = prompt is null ? _model.LoadModel(parsed, _engine.Read(parsed)) : Tokenize(parsed, prompt, out tokens);
        Check(tokens, model.Info);
        using OutputFile file = OutputFile.Create(path);
        ProgressBar.Run(streams, "logits", tokens.Length, progress => Write(model, tokens, file.Stream, progress, cancellation));
        file.Complete();
        streams.Error.WriteLine(
            $"{path}: {tokens.Length} position{(tokens.Length == 1 ? "" : "s")} of {model.Info.VocabularySize} logits, "
            + $"{Figures.Bytes(4L * tokens.Length * model.Info.VocabularySize)}");
        return ExitCode.Success;
    }

    private Model Tokenize(ParseResult parsed, string prompt, out int[] tokens)
    {
        LanguageModel model = _model.Load(parsed, _engine.Read(parsed));
        tokens = model.Tokenizer.Encode(prompt, addSpecial: true, parseSpecial: true);
        return model.Model;
    }

    private static void Write(Model model, int[] tokens, Stream output, Action<long> progress, CancellationToken cancellation)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("Logits are written on little-endian machines only.");

        using var text = new EveryPosition(model, tokens.Length);
        text.Visit(
            tokens,
            (position, logits) =>
            {
                output.Write(MemoryMarshal.AsBytes(logits));
                progress(position + 1);
            },
            cancellation);
    }

    private static int[] ParseTokens(string words)
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
