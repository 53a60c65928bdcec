using System.Runtime.InteropServices;
using System.Text.Json;
using Pure.Engine.Formats;
using Pure.Engine.Formats.HuggingFace;
using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>Folders whose exact logits were computed by float64 mathematics that nobody here wrote.</summary>
public class HuggingFaceGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3-moe")]
    [InlineData("mixtral")]
    [InlineData("deepseek-v2")]
    [InlineData("deepseek-v2", "config_group_limited.json", "expected_group_limited.json")]
    [InlineData("deepseek-v3")]
    [InlineData("deepseek-v3-fp8")]
    [InlineData("llama-awq")]
    [InlineData("llama-gptq")]
    [InlineData("llama-gptq-actorder")]
    public void Folders_give_the_exact_logits_and_greedy_tokens(string name, string config = "config.json", string expected = "expected.json")
    {
        string folder = Shared.Path("goldens", "hf", name);
        using var copy = new TemporaryFolder();
        if (config != "config.json")
            folder = CopyWithConfig(folder, config, copy.Path);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Shared.Path("goldens", "hf", name, expected)));
        int[] tokens = Integers(json.RootElement.GetProperty("tokens"));
        string exactFile = json.RootElement.GetProperty("exact_logits").GetProperty("file").GetString()!;
        float[] exact = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Shared.Path("goldens", "hf", name, exactFile))).ToArray();

        using Model model = Model.Load(folder, new ModelOptions { Activations = ActivationType.F32, CacheType = CacheType.F32 });
        double nmse = Golden.Nmse(Run.Logits(model, tokens), exact);
        output.WriteLine($"{name} {config}: NMSE {nmse:e2}");
        Assert.True(nmse <= 1e-9, $"NMSE {nmse:e2} is above 1e-9");
        JsonElement greedy = json.RootElement.GetProperty("greedy");
        int[] continuation = Integers(greedy.GetProperty("tokens"));
        Assert.Equal(continuation, Run.Greedy(model, tokens.AsSpan(0, greedy.GetProperty("prompt_len").GetInt32()), continuation.Length));
    }

    [Theory]
    [InlineData("llama-awq", ElementType.Q5_0)]
    [InlineData("llama-gptq", ElementType.Q4_0)]
    [InlineData("llama-gptq-actorder", ElementType.Q5_0)]
    public void Four_bit_weights_keep_every_bit(string name, ElementType type)
    {
        using var folder = HuggingFaceFolder.Open(Shared.Path("goldens", "hf", name));
        using var expected = SafetensorsFile.Open(Shared.Path("goldens", "hf", name, "dequantised.safetensors"));
        foreach ((string theirs, string ours) in new[] { ("self_attn.q_proj", "attn_q"), ("self_attn.v_proj", "attn_v"), ("mlp.down_proj", "ffn_down") })
        {
            Assert.True(folder.TryGetTensor($"blk.0.{ours}.weight", out Tensor? tensor));
            Assert.True(expected.TryGetTensor($"model.layers.0.{theirs}.weight", out SafetensorsTensor? reference));
            Assert.Equal(type, tensor.Type);
            Assert.Equal(reference.Shape, tensor.Shape);
            var values = new float[tensor.Count];
            ElementFormat.Of(tensor.Type).Dequantize(tensor.Data, values);
            if (tensor.ColumnOrders is [{ } inputOf])
                values = [.. values.Chunk(inputOf.Length).SelectMany(row => InOrder(row, inputOf))];
            Assert.Equal(name == "llama-gptq-actorder", tensor.ColumnOrders is not null);
            Assert.Equal(reference.Data.AsSpan(0, (int)reference.Data.Length), MemoryMarshal.AsBytes(values.AsSpan()));
        }
    }

    private static float[] InOrder(float[] stored, int[] inputOf)
    {
        var values = new float[stored.Length];
        for (int column = 0; column < stored.Length; column++)
            values[inputOf[column]] = stored[column];
        return values;
    }

    private static string CopyWithConfig(string folder, string config, string copy)
    {
        foreach (string file in Directory.GetFiles(folder, "*.safetensors*"))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        File.Copy(Path.Combine(folder, config), Path.Combine(copy, "config.json"));
        return copy;
    }

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetInt32())];
}
