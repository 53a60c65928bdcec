using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

namespace Pure.House.Tests.Samples;

/// <summary>README.md's client of the server.</summary>
internal static class Client
{
    public static async Task Write()
    {
        // README
        var options = new OpenAIClientOptions { Endpoint = new Uri("http://127.0.0.1:8080/v1") };
        var client = new ChatClient("model", new ApiKeyCredential("any"), options); // the package OpenAI
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync("Tell me a story about a little dog."))
            Console.Write(string.Concat(update.ContentUpdate.Select(part => part.Text)));
        // README
    }
}
