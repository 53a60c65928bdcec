using Pure.Chat;

namespace Pure.House.Tests.Samples;

/// <summary>README.md's second sample.</summary>
internal static class Conversation
{
    public static async Task Write()
    {
        // README
        using var model = LanguageModel.LoadDefault();
        using TextSession session = model.CreateSession();
        await foreach (string text in session.GenerateAsync("Tom had a red ball.", new() { Seed = 7, Stop = ["\n"] }))
            Console.Write(text);
        await foreach (string text in session.GenerateAsync(" Then it began to rain.", new() { Seed = 7, MaxTokens = 60 }))
            Console.Write(text);
        // README
    }
}
