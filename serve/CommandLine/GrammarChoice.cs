using System.CommandLine;
using Pure.Engine.Generation.Grammars;

namespace Pure.Serve.CommandLine;

/// <summary>The options that say what the text must be.</summary>
internal sealed class GrammarChoice
{
    private readonly Option<string?> _grammar = ValueOptions.Text(
        "--grammar", [], "TEXT", "Write only what this grammar allows, in llama.cpp's format (GBNF), such as 'root ::= \"yes\" | \"no\"'.");

    private readonly Option<string?> _file = ValueOptions.Text("--grammar-file", [], "F", "The same, from a file; - is standard input.");

    private readonly Option<string?> _schema = ValueOptions.Text(
        "--json-schema", ["-j"], "SCHEMA", "Write only JSON that this JSON Schema allows; {} for any JSON, @F for a schema in the file F.");

    internal GrammarChoice() => Group = new OptionGroup("Form", [_grammar, _file, _schema]);

    /// <summary>The options, for help and parsing.</summary>
    internal OptionGroup Group { get; }

    /// <summary>What the command line asks for, or null.</summary>
    /// <exception cref="UsageException">Two of the options are given.</exception>
    internal Grammar? Read(ParseResult parsed, CommandStreams streams)
    {
        string? text = parsed.GetValue(_grammar);
        string? file = parsed.GetValue(_file);
        string? schema = parsed.GetValue(_schema);
        if (new[] { text, file, schema }.Count(given => given is not null) > 1)
            throw new UsageException("--grammar, --grammar-file and --json-schema all say what the text must be; give one of them.");
        if (schema is ['@', .. string path])
            schema = TextInput.Read(path, streams);
        if (file is not null)
            text = TextInput.Read(file, streams);
        return schema is not null ? Grammar.FromJsonSchema(schema) : text is not null ? Grammar.FromGbnf(text) : null;
    }
}
