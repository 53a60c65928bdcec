using System.Runtime.InteropServices;
using System.Text.Json;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>The trained model against its float64 reference.</summary>
public class StoriesMoeTests(ITestOutputHelper output)
{
    [Fact]
    public void The_float_file_gives_the_reference_ids_and_last_logits()
    {
        string folder = Shared.Path("models", "stories-moe");
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "reference.json")));
        using var model = Model.Load(Path.Combine(folder, "stories-moe-f32.gguf"), new ModelOptions { CacheType = CacheType.F32 });
        foreach (JsonElement prompt in reference.RootElement.GetProperty("prompts").EnumerateArray())
        {
            int[] ids = Integers(prompt, "prompt_ids");
            int[] greedy = Integers(prompt, "greedy_ids");
            Assert.Equal(greedy, Run.Greedy(model, ids, greedy.Length));

            double[] expected = MemoryMarshal.Cast<byte, double>(
                File.ReadAllBytes(Path.Combine(folder, prompt.GetProperty("last_position_logits_file").GetString()!))).ToArray();
            float[] last = Run.Logits(model, ids)[^expected.Length..];
            double worst = expected.Zip(last, (theirs, ours) => Math.Abs(theirs - ours)).Max();
            output.WriteLine($"{prompt.GetProperty("prompt").GetString()}: largest difference {worst:e1}");
            Assert.True(worst <= 1e-4, $"largest difference {worst:e1} is above 1e-4");
        }
    }

    [Fact]
    public void The_quantised_file_with_float_activations_gives_the_reference_ids()
    {
        string folder = Shared.Path("models", "stories-moe");
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "reference.json")));
        var options = new ModelOptions { CacheType = CacheType.F32, Activations = ActivationType.F32 };
        using var model = Model.Load(Path.Combine(folder, "stories-moe-q8_0.gguf"), options);
        foreach (JsonElement prompt in reference.RootElement.GetProperty("prompts").EnumerateArray())
        {
            int[] greedy = Integers(prompt, "greedy_ids_q8_0_weights");
            Assert.Equal(greedy, Run.Greedy(model, Integers(prompt, "prompt_ids"), greedy.Length));
        }
    }

    [Fact]
    public void Its_sizes_are_those_of_its_card()
    {
        using var model = Model.Load(Shared.Path("models", "stories-moe", "stories-moe-f32.gguf"));
        Assert.Equal("deepseek2", model.Info.Architecture);
        Assert.Equal(5_893_664, model.Info.Parameters);
        Assert.Equal(512, model.Info.ContextLength);
        Assert.Equal(2048, model.Info.VocabularySize);

        // The card's "about 3,010,080" leaves out what is not a matrix product: norms.
        Assert.Equal(3_010_080, model.Info.ActiveParameters, tolerance: 10_000);
    }

    [Theory]
    [InlineData("stories260K-f32.gguf", ActivationType.Q8)]
    [InlineData("stories260K-q8_0.gguf", ActivationType.F32)]
    public void Stories260K_gives_its_reference_ids(string file, ActivationType activations)
    {
        using JsonDocument greedy = JsonDocument.Parse(File.ReadAllText(Shared.Path("data", "models", "stories260K", "greedy.json")));
        var options = new ModelOptions { CacheType = CacheType.F32, Activations = activations };
        using var model = Model.Load(Shared.Path("data", "models", "stories260K", file), options);
        foreach (JsonElement prompt in greedy.RootElement.GetProperty("cases").EnumerateArray())
        {
            int[] expected = Integers(prompt, "new_ids");
            Assert.Equal(expected, Run.Greedy(model, Integers(prompt, "prompt_ids"), expected.Length));
        }
    }

    private static int[] Integers(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
}
