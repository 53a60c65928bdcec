using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>What fewer bits in the cache cost, against float64 mathematics.</summary>
public class CacheErrorTests(ITestOutputHelper output)
{
    /// <summary>From most to fewest bits of mantissa.</summary>
    private static readonly CacheType[] FinestFirst = [CacheType.F32, CacheType.F16, CacheType.BF16, CacheType.Q4_0];

    [Theory]
    [InlineData("llama-q256-F32")]
    [InlineData("qwen3moe-q256-F32")]
    [InlineData("qwen3")]
    [InlineData("llama-rope-llama3")]
    public void The_error_grows_as_bits_are_fewer_and_eight_bits_lie_between_sixteen_and_four(string name)
    {
        Golden golden = Golden.Open(name);
        double[] errors = [.. FinestFirst.Select(Error)];
        Assert.Equal(errors.Order(), errors);
        Assert.InRange(Error(CacheType.Q8_0), errors[1], errors[^1]);

        double Error(CacheType type)
        {
            using var model = Model.Load(golden.ModelPath, new ModelOptions { CacheType = type });
            float[] logits = Run.Logits(model, golden.Tokens);
            double nmse = Golden.Nmse(
                [.. golden.Positions.SelectMany(position => logits.AsSpan(position * golden.Vocabulary, golden.Vocabulary).ToArray())],
                golden.ExactLogits);
            output.WriteLine($"{name} {type}: NMSE {nmse:e2}");
            return nmse;
        }
    }
}
