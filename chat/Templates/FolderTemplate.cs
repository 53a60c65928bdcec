using System.Text;
using Pure.Engine;
using Pure.Tokenizers;

namespace Pure.Chat.Templates;

/// <summary>
/// The chat templates of a Hugging Face folder: the file <c>chat_template.jinja</c>, with others for special uses in
/// <c>additional_chat_templates</c>; in older folders <c>chat_template</c> in <c>tokenizer_config.json</c>, one or several by name; of
/// models that see, in <c>chat_template.json</c>.
/// </summary>
internal static class FolderTemplate
{
    private const long MostBytes = 4 << 20;

    /// <summary>The folder's template, or null.</summary>
    /// <param name="folder">The folder's path.</param>
    /// <param name="use">Which is preferred where there are several, such as <c>tool_use</c>.</param>
    /// <exception cref="TemplateException">The template cannot be read.</exception>
    /// <exception cref="ModelFormatException">The file that holds it cannot be read.</exception>
    internal static ChatTemplate? Find(string folder, string? use)
    {
        string alone = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(alone))
        {
            string special = Path.Combine(folder, "additional_chat_templates", $"{use}.jinja");
            string file = use is not null && File.Exists(special) ? special : alone;
            return ChatTemplate.Parse(ReadText(file), file);
        }

        foreach (string name in new[] { "tokenizer_config.json", "chat_template.json" })
        {
            string file = Path.Combine(folder, name);
            if (File.Exists(file) && FindIn(ReadConfig(file), use) is { } source)
                return ChatTemplate.Parse(source, $"{file}: chat_template");
        }

        return null;
    }

    private static string? FindIn(TokenizerConfig config, string? use) =>
        (use is not null ? config.NamedChatTemplates.GetValueOrDefault(use) : null) ?? config.ChatTemplate;

    private static TokenizerConfig ReadConfig(string file)
    {
        try
        {
            return TokenizerConfig.Open(file);
        }
        catch (TokenizerException exception)
        {
            throw new ModelFormatException(exception.Message, exception);
        }
    }

    private static string ReadText(string file)
    {
        try
        {
            if (new FileInfo(file).Length is var length and > MostBytes)
                throw new ModelFormatException($"{file}: the template has {length} bytes, at most {MostBytes} are read; check the file.");
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(file));
        }
        catch (DecoderFallbackException exception)
        {
            throw new ModelFormatException($"{file}: the template is not UTF-8; download it again.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException($"{file}: the file cannot be read: {exception.Message.TrimEnd('.')}.", exception);
        }
    }
}
