using System.Text.Encodings.Web;
using System.Text.Json;
using Pure.Chat.Templates;

namespace Pure.Serve.Commands;

/// <summary>Conversations in files: a JSON array of messages, as the OpenAI API has them.</summary>
internal static class ChatFile
{
    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static void Write(string path, IEnumerable<ChatMessage> messages)
    {
        using OutputFile file = OutputFile.Create(path);
        using (var writer = new Utf8JsonWriter(file.Stream, Readable))
        {
            writer.WriteStartArray();
            foreach (ChatMessage message in messages)
            {
                writer.WriteStartObject();
                writer.WriteString("role", message.Role);
                writer.WriteString("content", message.Content);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        file.Stream.WriteByte((byte)'\n');
        file.Complete();
    }

    /// <exception cref="UsageException">The file is no such array.</exception>
    internal static List<ChatMessage> Read(string path, CommandStreams streams)
    {
        using JsonDocument document = JsonInput.Read(path, streams);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
            throw new UsageException($"{path} holds no conversation: expected a JSON array of messages.");
        var messages = new List<ChatMessage>();
        foreach (JsonElement element in document.RootElement.EnumerateArray())
        {
            messages.Add(Text(element, "role") is { } role && Text(element, "content") is { } content
                ? new ChatMessage(role, content)
                : throw new UsageException($"{path}: message {messages.Count} needs a \"role\" and a \"content\", both strings."));
        }

        return messages;
    }

    private static string? Text(JsonElement message, string name)
    {
        if (message.ValueKind != JsonValueKind.Object || !message.TryGetProperty(name, out JsonElement value)
            || value.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair.
            return null;
        }
    }
}
