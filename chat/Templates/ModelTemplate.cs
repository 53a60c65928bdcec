using System.Text.Encodings.Web;
using System.Text.Json;
using Pure.Engine;
using Pure.Engine.Formats;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Formats.HuggingFace;
using Pure.Tokenizers;

namespace Pure.Chat.Templates;

/// <summary>A chat template with the tokenizer it writes for: messages in, the prompt that the model expects out.</summary>
public sealed class ModelTemplate
{
    private const string Key = "tokenizer.chat_template";
    private const string ToolUse = "tool_use";
    private readonly ChatTemplate _template;
    private readonly Tokenizer _tokenizer;

    /// <summary>Joins a template, of the model or another one, and the model's tokenizer.</summary>
    public ModelTemplate(ChatTemplate template, Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(tokenizer);
        _template = template;
        _tokenizer = tokenizer;
    }

    /// <summary>The template that a model carries, or null.</summary>
    /// <param name="model">The model.</param>
    /// <param name="withTools">Whether tools are given: some models have a template of their own for that.</param>
    /// <exception cref="TemplateException">It carries one that cannot be read.</exception>
    /// <exception cref="ModelFormatException">The file that should hold it cannot be read.</exception>
    public static ModelTemplate? Find(LanguageModel model, bool withTools = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        return FindIn(model.Model.File, withTools) is { } template ? new ModelTemplate(template, model.Tokenizer) : null;
    }

    /// <summary>
    /// The template that the GGUF file or the folder at <paramref name="path"/> carries, or null. Neither needs tensors.
    /// </summary>
    /// <inheritdoc cref="Find"/>
    /// <param name="path">The file or folder.</param>
    /// <param name="withTools"><inheritdoc cref="Find" path="/param[@name='withTools']"/></param>
    public static ChatTemplate? FindIn(string path, bool withTools = false)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
            return FolderTemplate.Find(path, withTools ? ToolUse : null);
        using GgufFile file = GgufFile.Open(path);
        return FindIn(file, withTools);
    }

    /// <summary>The template that a model's file carries, or null. The file need not have tensors.</summary>
    /// <inheritdoc cref="Find"/>
    /// <param name="file">The file, or a folder's files.</param>
    /// <param name="withTools"><inheritdoc cref="Find" path="/param[@name='withTools']"/></param>
    public static ChatTemplate? FindIn(ModelFile file, bool withTools = false)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file is HuggingFaceFolder)
            return FolderTemplate.Find(file.Path, withTools ? ToolUse : null);
        string key = withTools && file.Metadata.Contains($"{Key}.{ToolUse}") ? $"{Key}.{ToolUse}" : Key;
        return file.Metadata.FindString(key) is { } source ? ChatTemplate.Parse(source, $"{file.Path}: {key}") : null;
    }

    /// <summary>
    /// The prompt after which the model speaks next. Where the tokenizer puts its beginning-of-text token before every text, the one
    /// that the template writes is left out.
    /// </summary>
    /// <param name="messages">The conversation so far.</param>
    /// <param name="options">Clock and limits.</param>
    /// <exception cref="TemplateException">The template refuses the messages or fails on them.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, RenderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        using JsonDocument variables = JsonDocument.Parse(Variables(messages));
        string prompt = _template.Render(variables.RootElement, options);
        return _tokenizer.AddsBos && Text(_tokenizer.Bos) is { Length: > 0 } bos && prompt.StartsWith(bos, StringComparison.Ordinal)
            ? prompt[bos.Length..]
            : prompt;
    }

    private byte[] Variables(IReadOnlyList<ChatMessage> messages)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("messages");
            foreach (ChatMessage message in messages)
            {
                writer.WriteStartObject();
                writer.WriteString("role", message.Role);
                writer.WriteString("content", message.Content);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteBoolean("add_generation_prompt", true);
            WriteToken("bos_token", _tokenizer.Bos);
            WriteToken("eos_token", _tokenizer.Eos);
            WriteToken("unk_token", _tokenizer.Unknown);
            WriteToken("pad_token", _tokenizer.Padding);
            writer.WriteEndObject();

            void WriteToken(string name, int? token)
            {
                if (Text(token) is { } text)
                    writer.WriteString(name, text);
            }
        }

        return json.ToArray();
    }

    private string? Text(int? token) => token is { } id ? _tokenizer.TokenText(id) : null;
}
