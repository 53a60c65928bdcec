using Pure.Engine.Kernels;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>Whether weights are rearranged, and whether machine code is emitted, changes no bit of a model's logits.</summary>
public sealed class RepackedWeightsTests
{
    [Theory]
    [InlineData("llama-q256-Q4_0")]
    [InlineData("llama-q256-Q8_0")]
    [InlineData("llama-q256-Q4_K_M")]
    [InlineData("qwen3moe-q256-Q4_K_M")]
    [InlineData("deepseek2-v3-q256-Q6_K")]
    public void Rearranged_weights_and_emitted_kernels_give_the_same_bits(string name)
    {
        Golden golden = Golden.Open(name);
        float[] asStored = Logits(golden, new() { Repack = false });
        Assert.Equal(asStored, Logits(golden, new()));
        Assert.Equal(asStored, Logits(golden, new() { Emit = false }));
        foreach (Isa isa in KernelSet.Supported)
        {
            Assert.Equal(asStored, Logits(golden, new() { Isa = isa, Threads = 3 }));
            Assert.Equal(asStored, Logits(golden, new() { Isa = isa, Repack = false }));
        }
    }

    private static float[] Logits(Golden golden, ModelOptions options)
    {
        using var model = Model.Load(golden.ModelPath, options);
        return Run.Logits(model, golden.Tokens);
    }
}
