using System.Text.Json;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>Folders that Hugging Face's own library wrote and ran.</summary>
public class PublicFolderTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("hf-dense/tiny_llama")]
    [InlineData("hf-dense/tiny_llama_sharded")]
    [InlineData("hf-dense/tiny_smollm2")]
    [InlineData("hf-dense/tiny_mistral")]
    [InlineData("hf-dense/tiny_qwen2")]
    [InlineData("hf-dense/tiny_qwen3")]
    [InlineData("hf-dense/tiny_gemma3")]
    [InlineData("hf-moe/tiny_mixtral")]
    [InlineData("hf-moe/tiny_qwen3_moe")]
    [InlineData("hf-moe/tiny_qwen3_moe_mixed")]
    [InlineData("hf-moe/tiny_qwen3_moe_window")]
    [InlineData("hf-moe/tiny_olmoe")]
    [InlineData("hf-moe/tiny_granitemoe")]
    [InlineData("hf-moe/tiny_granitemoeshared")]
    [InlineData("hf-moe/tiny_gpt_oss")]
    [InlineData("hf-moe/tiny_gpt_oss_mxfp4")]
    [InlineData("hf-moe/tiny_deepseek_v2")]

    // Two answers are stored; this one is DeepSeek's own, which multiplies the attention scale by mscale².
    [InlineData("hf-moe/tiny_deepseek_v2_yarn", "logits_official_mscale.json")]
    public void Folders_give_the_reference_logits(string folder, string reference = "logits.json")
    {
        string path = Shared.Path(["data", .. folder.Split('/')]);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(path, reference)));
        using Model model = Model.Load(path, new ModelOptions { Activations = ActivationType.F32, CacheType = CacheType.F32 });
        JsonElement[] logits = [.. json.RootElement.GetProperty("logits").EnumerateArray()];
        double worst = 0;
        foreach ((int index, JsonElement sequence) in json.RootElement.GetProperty("sequences").EnumerateArray().Index())
        {
            float[] ours = Run.Logits(model, [.. sequence.EnumerateArray().Select(id => id.GetInt32())]);
            double[] theirs = [.. logits[index].EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(value => value.GetDouble())];
            Assert.Equal(theirs.Length, ours.Length);
            worst = Math.Max(worst, ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max());
        }

        output.WriteLine($"{folder}: largest difference {worst:e1}");
        Assert.True(worst <= 1e-4, $"largest difference {worst:e1} is above 1e-4");
    }

    [Fact]
    public void A_folder_that_stores_only_the_head_gives_the_reference_tokens()
    {
        string path = Shared.Path("data", "models", "tinystories-656k");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "greedy.json")));
        using Model model = Model.Load(path, new ModelOptions { CacheType = CacheType.F32 });
        foreach (JsonElement story in json.RootElement.GetProperty("cases").EnumerateArray())
        {
            int[] prompt = [.. story.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt32())];
            int[] expected = [.. story.GetProperty("new_ids").EnumerateArray().Select(id => id.GetInt32())];
            Assert.Equal(expected, Run.Greedy(model, prompt, expected.Length));
        }
    }
}
