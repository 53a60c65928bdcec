using Pure.Chat;

namespace Pure.Tokenizers.MicrosoftML.Tests;

/// <summary>A model that speaks through a tokenizer of Microsoft.ML.Tokenizers.</summary>
public sealed class ModelTests
{
    [Fact]
    public async Task A_model_writes_the_same_text_through_it()
    {
        string path = Libraries.GoldenPath("stories-moe-q8_0.gguf");
        var options = new TextOptions { MaxTokens = 40, Seed = 7 };
        using LanguageModel own = LanguageModel.Load(path);
        var roles = new TokenRoles
        {
            Bos = own.Tokenizer.Bos,
            Eos = own.Tokenizer.Eos,
            AddBos = own.Tokenizer.AddsBos,
            AddEos = own.Tokenizer.AddsEos,
        };
        using LanguageModel borrowed = LanguageModel.Load(path, own.Tokenizer.ToMicrosoftML().ToPure(roles));

        Assert.Equal(await Write(own, options), await Write(borrowed, options));
    }

    private static async Task<string> Write(LanguageModel model, TextOptions options)
    {
        string text = "";
        await foreach (string piece in model.GenerateAsync("Once upon a time", options, TestContext.Current.CancellationToken))
            text += piece;
        Assert.NotEmpty(text);
        return text;
    }
}
