using Microsoft.Extensions.AI;
using Pure.Chat;

namespace Pure.House.Tests.Samples;

/// <summary>README.md's texts that are written together, and its chat client.</summary>
internal static class Together
{
    public static async Task Write()
    {
        // README
        using var model = LanguageModel.LoadDefault();
        using TextScheduler scheduler = model.CreateScheduler(new() { CachePositions = 4096 });
        string[] openings = ["Once upon a time", "Tom had a red ball.", "The little dog"];
        foreach (string text in await Task.WhenAll(openings.Select(opening => scheduler.GenerateAsync(opening).ReadAsync())))
            Console.WriteLine(text);
        // README
    }

    public static async Task Chat()
    {
        // README
        using var model = LanguageModel.LoadDefault();
        using IChatClient client = new PureChatClient(model); // of Microsoft.Extensions.AI
        Console.WriteLine(await client.GetResponseAsync("Tell me a story about a little dog."));
        // README
    }
}
