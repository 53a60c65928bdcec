using System.CommandLine;
using System.Text.Json;
using Pure.Serve.CommandLine;
using Pure.Tokenizers;

namespace Pure.Serve.Commands;

/// <summary><c>pure tokenize</c>: the ids of a text, with the flags of llama-tokenize.</summary>
internal sealed class TokenizeCommand : PureCommand
{
    private readonly ModelArgument _model = new();
    private readonly TextSource _text = new("The text.");
    private readonly Option<bool> _noBos = ValueOptions.Switch("--no-bos", "Add no beginning-of-text (or end-of-text) token.");
    private readonly Option<bool> _noParseSpecial = ValueOptions.Switch(
        "--no-parse-special", "Take the names of special tokens in the text, such as <|user|>, as plain text.");

    private readonly Option<bool> _json = ValueOptions.Switch("--json", "Write one JSON object: ids, and the token each stands for.");
    private readonly EngineOptions _engine = new();

    internal TokenizeCommand()
        : base("tokenize", "Turn a text into token ids.")
    {
        Add(_model.Argument);
        AddGroups(new OptionGroup("Options", [.. _text.Options, _noBos, _noParseSpecial, _json]), _engine.Group, _engine.Memory);
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure tokenize -p \"Once upon a time\"", "ids of the embedded model, on one line"),
        new("pure tokenize vocabulary.gguf --file text.txt --no-bos", "a file with a vocabulary and no tensors serves too"),
        new("printf 'a b' | pure tokenize model.gguf --file - --json", "standard input"),
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        string text = _text.Read(parsed, streams) ?? throw new UsageException("tokenize needs a text: --prompt TEXT or --file F.");
        Tokenizer tokenizer = _model.LoadTokenizer(parsed, _engine.Read(parsed, streams));
        int[] ids = tokenizer.Encode(text, addSpecial: !parsed.GetValue(_noBos), parseSpecial: !parsed.GetValue(_noParseSpecial));
        streams.Output.WriteLine(parsed.GetValue(_json)
            ? JsonSerializer.Serialize(new TokenizeReport(ids.Length, ids, [.. ids.Select(tokenizer.TokenText)]), Json.Readable.TokenizeReport)
            : string.Join(' ', ids));
        return ExitCode.Success;
    }
}

/// <summary>What <c>pure tokenize --json</c> writes.</summary>
internal sealed record TokenizeReport(int Count, IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens);
