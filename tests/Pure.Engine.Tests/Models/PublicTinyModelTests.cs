using System.Text.Json;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>Files that other projects' writers made, with the fewest keys a reader can live on.</summary>
public class PublicTinyModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("tiny_llama_f32.gguf", "hf-dense/tiny_llama/logits.json", "logits", 1e-4)]
    [InlineData("tiny_llama_f16.gguf", "hf-dense/tiny_llama/logits.json", "logits", 2e-2)]
    [InlineData("tiny_llama_q8.gguf", "models/gguf-tiny/tiny_llama_q8_logits.json", "logits_q8_gguf", 1e-4)]
    public void A_file_with_few_keys_gives_the_reference_logits(string file, string reference, string property, double tolerance)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Shared.Path(["data", .. reference.Split('/')])));
        var options = new ModelOptions { CacheType = CacheType.F32, Activations = ActivationType.F32 };
        using var model = Model.Load(Shared.Path("data", "models", "gguf-tiny", file), options);
        JsonElement[] sequences = [.. json.RootElement.GetProperty("sequences").EnumerateArray()];
        JsonElement[] logits = [.. json.RootElement.GetProperty(property).EnumerateArray()];
        double worst = 0;
        for (int index = 0; index < sequences.Length; index++)
        {
            float[] ours = Run.Logits(model, [.. sequences[index].EnumerateArray().Select(id => id.GetInt32())]);
            double[] theirs = [.. logits[index].EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(value => value.GetDouble())];
            worst = Math.Max(worst, ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max());
        }

        output.WriteLine($"{file}: largest difference {worst:e1}");
        Assert.True(worst <= tolerance, $"largest difference {worst:e1} is above {tolerance:e0}");
    }
}
