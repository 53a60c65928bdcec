using System.Text.Encodings.Web;
using System.Text.Json;
using Pure.Engine.Formats;
using Pure.Tokenizers;

namespace Pure.Chat.Templates;

/// <summary>A chat template with the tokenizer it writes for: messages in, the prompt that the model expects out.</summary>
public sealed class ModelTemplate
{
    private const string Key = "tokenizer.chat_template";
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
    /// <exception cref="TemplateException">It carries one that cannot be read.</exception>
    public static ModelTemplate? Find(LanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return FindIn(model.Model.File) is { } template ? new ModelTemplate(template, model.Tokenizer) : null;
    }

    /// <summary>The template that a model's file carries, or null. The file need not have tensors.</summary>
    /// <inheritdoc cref="Find" path="/exception"/>
    public static ChatTemplate? FindIn(ModelFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return file.Metadata.FindString(Key) is { } source ? ChatTemplate.Parse(source, $"{file.Path}: {Key}") : null;
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
            if (Text(_tokenizer.Bos) is { } bos)
                writer.WriteString("bos_token", bos);
            if (Text(_tokenizer.Eos) is { } eos)
                writer.WriteString("eos_token", eos);
            writer.WriteEndObject();
        }

        return json.ToArray();
    }

    private string? Text(int? token) => token is { } id ? _tokenizer.TokenText(id) : null;
}
