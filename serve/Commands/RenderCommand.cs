using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Pure.Chat;
using Pure.Chat.Templates;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Commands;

/// <summary><c>pure render</c>: the prompt that a chat template makes of variables.</summary>
internal sealed class RenderCommand : PureCommand
{
    private static readonly string[] TimeFormats =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF",
        "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    private readonly Option<string?> _template = ValueOptions.Text(
        "--template", [], "F|MODEL",
        $"A file with a Jinja template, or a model that carries one: a GGUF file or a Hugging Face folder. Default: the embedded model {ModelArgument.EmbeddedName}.");

    private readonly Option<string?> _context = ValueOptions.Text(
        "--context", [], "F", "A file with a JSON object: each property is a variable. - is standard input.");

    private readonly Option<string?> _now = ValueOptions.Text(
        "--now", [], "TIME", "What strftime_now says, such as 2025-03-09T14:05:06. Default: the local time.");

    internal RenderCommand()
        : base("render", "Write the prompt that a chat template makes.") =>
        AddGroups(new OptionGroup("Options", [_template, _context, _now]));

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure render --template chat_template.jinja --context conversation.json", "a template in a file"),
        new("pure render --template model.gguf --context conversation.json --now 2025-03-09", "the one in a model, on that day"),
        new("pure render --template Qwen3-0.6B --context conversation.json", "the one in a Hugging Face folder"),
        new("echo '{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}' | pure render --context -", "standard input"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "The variables are those of transformers: messages, tools, add_generation_prompt, bos_token, eos_token and what else the template "
        + "reads; a model's own tokens are not added. Of a model with several templates, the one for tools is taken where there are tools. "
        + "JSON's null is a variable that is none; one that is missing is undefined. Nothing is added to the prompt, no line end "
        + "either. Where the template raises an exception, its message is written to standard error and the exit code is 2.",
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        string context = parsed.GetValue(_context)
            ?? throw new UsageException("render needs the template's variables: --context F, a file with a JSON object.");
        DateTime now = parsed.GetValue(_now) is { } text ? ReadTime(text) : DateTime.Now;
        using JsonDocument variables = JsonInput.Read(context, streams);
        if (variables.RootElement.ValueKind != JsonValueKind.Object)
            throw new UsageException($"{context} holds a JSON {variables.RootElement.ValueKind.ToString().ToLowerInvariant()}; give an object, whose properties are the variables.");
        bool withTools = variables.RootElement.TryGetProperty("tools", out JsonElement tools) && tools.ValueKind != JsonValueKind.Null;
        ChatTemplate template = ReadTemplate(parsed.GetValue(_template), streams, withTools);
        streams.Output.Write(template.Render(variables.RootElement, new RenderOptions { Now = now }));
        return ExitCode.Success;
    }

    /// <summary>The template in a text file or a model, or the embedded model's.</summary>
    internal static ChatTemplate ReadTemplate(string? path, CommandStreams streams, bool withTools = false)
    {
        if (path is null || (path == ModelArgument.EmbeddedName && !Path.Exists(path)))
        {
            using LanguageModel model = LanguageModel.LoadDefault();
            return ModelTemplate.FindIn(model.Model.File)!;
        }

        if (!Directory.Exists(path) && !IsGguf(path))
            return ChatTemplate.Parse(TextInput.Read(path, streams), path);
        return ModelTemplate.FindIn(path, withTools) ?? throw new UsageException($"{DescribeMissing(path)}; give a file with one.");
    }

    /// <summary>Says where a template was sought: to go on with what to do about it.</summary>
    internal static string DescribeMissing(string model) => Directory.Exists(model)
        ? $"{model} is a directory without a chat template (chat_template.jinja, or chat_template in tokenizer_config.json)"
        : $"{model} carries no chat template (tokenizer.chat_template)";

    private static bool IsGguf(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            Span<byte> magic = stackalloc byte[4];
            return file.CanSeek && file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == 4 && magic.SequenceEqual("GGUF"u8);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // Reading it as a text says what is wrong.
            return false;
        }
    }

    private static DateTime ReadTime(string text) =>
        DateTimeOffset.TryParseExact(
            text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time.DateTime
            : throw new UsageException($"\"{text}\" is no time for --now; give one such as 2025-03-09 or 2025-03-09T14:05:06.");
}
