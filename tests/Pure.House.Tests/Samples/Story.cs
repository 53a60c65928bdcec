using Pure.Chat;

namespace Pure.House.Tests.Samples;

/// <summary>README.md's first sample.</summary>
internal static class Story
{
    public static async Task Write()
    {
        // README
        using var model = LanguageModel.LoadDefault(); // or LanguageModel.Load("model.gguf")
        await foreach (string text in model.GenerateAsync("Once upon a time", new() { MaxTokens = 100 }))
            Console.Write(text);
        // README
    }
}
