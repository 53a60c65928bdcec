using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Chat.Tests;

public sealed class HuggingFaceFolderTests
{
    [Fact]
    public async Task A_folder_writes_the_text_of_its_reference()
    {
        string folder = Shared.Path("data", "models", "tinystories-656k");
        using System.Text.Json.JsonDocument greedy = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "greedy.json")));
        using var model = LanguageModel.Load(folder, new ModelOptions { CacheType = CacheType.F32 });
        foreach (var prompt in greedy.RootElement.GetProperty("cases").EnumerateArray())
        {
            int[] expected = [.. prompt.GetProperty("new_ids").EnumerateArray().Select(id => id.GetInt32())];
            TextCompletion completion = model.GenerateAsync(
                prompt.GetProperty("prompt").GetString()!,
                new TextOptions { Temperature = 0, MaxTokens = expected.Length },
                TestContext.Current.CancellationToken);
            var ids = new List<int>();
            await foreach (TextPiece piece in completion.ReadPiecesAsync(TestContext.Current.CancellationToken))
            {
                if (piece.Token is { } token)
                    ids.Add(token.Id);
            }

            Assert.Equal(expected.TakeWhile(id => !model.Tokenizer.IsEndOfGeneration(id)), ids);
        }
    }
}
