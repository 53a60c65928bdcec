using System.Text.Json;
using Pure.Chat.Templates;

namespace Pure.Serve.Http;

/// <summary>The messages of a chat request.</summary>
internal static class ChatMessages
{
    internal const string Field = "messages";

    /// <exception cref="ApiException">There is none, or one is no message of text.</exception>
    internal static List<ChatMessage> Read(JsonFields fields)
    {
        JsonElement list = fields.Require(Field);
        if (list.ValueKind != JsonValueKind.Array)
            throw JsonFields.WrongType(list, Field, "a list of messages");
        if (list.GetArrayLength() == 0)
            throw ApiException.WrongValue(Field, $"The parameter '{Field}' is empty, expected at least one message.");
        return [.. list.EnumerateArray().Select((message, at) => ReadOne(message, $"{Field}[{at}]"))];
    }

    private static ChatMessage ReadOne(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw JsonFields.WrongType(json, name, "an object");
        var message = new JsonFields(json, name + ".");
        string role = message.Text("role") ?? throw ApiException.Missing(message.Name("role"));
        foreach (string call in new[] { "tool_calls", "function_call" })
        {
            if (message.Find(call) is { } calls && !(calls.ValueKind == JsonValueKind.Array && calls.GetArrayLength() == 0))
                throw ApiException.Unsupported(message.Name(call), "Calls of tools are not supported yet.");
        }

        return new ChatMessage(Role(role, message.Name("role")), Content(message));
    }

    /// <summary>Templates know the developer's message, OpenAI's newer word, as the system's.</summary>
    private static string Role(string role, string name) => role switch
    {
        "developer" => "system",
        "system" or "user" or "assistant" or "tool" => role,
        _ => throw ApiException.WrongValue(name, $"The parameter '{name}' is none of system, developer, user, assistant and tool."),
    };

    private static string Content(JsonFields message)
    {
        const string Field = "content";
        JsonElement content = message.Require(Field);
        if (content.ValueKind == JsonValueKind.String)
            return content.GetString()!;
        if (content.ValueKind != JsonValueKind.Array)
            throw JsonFields.WrongType(content, message.Name(Field), "a string or a list of parts");
        return string.Join('\n', content.EnumerateArray().Select((part, at) => Part(part, $"{message.Name(Field)}[{at}]")));
    }

    private static string Part(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw JsonFields.WrongType(json, name, "an object");
        var part = new JsonFields(json, name + ".");
        string kind = part.Text("type") ?? throw ApiException.Missing(part.Name("type"));
        return kind == "text"
            ? part.Text("text") ?? throw ApiException.Missing(part.Name("text"))
            : throw ApiException.Unsupported(part.Name("type"), $"The parameter '{part.Name("type")}' can only be text yet.");
    }
}
