using System.CommandLine;

namespace Pure.Serve.CommandLine;

/// <summary>The two ways to give a text: on the command line, or in a file.</summary>
internal sealed class TextSource
{
    private readonly Option<string?> _prompt;
    private readonly Option<string?> _file = ValueOptions.Text(
        "--file", ["-f"], "F", "A file with the text, in UTF-8; - is standard input. Its bytes are taken as they are.");

    /// <summary>The options; <paramref name="description"/> says what the text is for.</summary>
    internal TextSource(string description) => _prompt = ValueOptions.Text("--prompt", ["-p"], "TEXT", description);

    internal IReadOnlyList<Option> Options => [_prompt, _file];

    /// <summary>The text, or null where none is given.</summary>
    /// <exception cref="UsageException">Both are given, or the text is not UTF-8, or <c>--prompt</c> is empty.</exception>
    internal string? Read(ParseResult parsed, CommandStreams streams)
    {
        string? prompt = parsed.GetValue(_prompt);
        string? file = parsed.GetValue(_file);
        if (prompt is not null && file is not null)
            throw new UsageException("--prompt and --file are both given; give one of them.");
        return prompt is not null ? TextInput.Check(prompt, "--prompt") : file is not null ? TextInput.Read(file, streams) : null;
    }
}
