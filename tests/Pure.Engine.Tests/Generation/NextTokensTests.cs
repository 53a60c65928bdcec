#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using Pure.Engine.Generation;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Generation;

/// <summary>The layer for the token after the next: what it computes, and that its guesses change nothing.</summary>
public sealed class NextTokensTests
{
    private static readonly int[] Prompt = [1, 5, 9, 2, 7, 7, 3, 11];

    [Theory]
    [InlineData(ActivationType.F32, CacheType.F32)]
    [InlineData(ActivationType.Q8, CacheType.F16)]
    public void Texts_are_the_same_to_the_bit_with_its_guesses(ActivationType activations, CacheType cache)
    {
        TinyModel tiny = TinyModel.DeepSeek2WithNextToken();

        // Both heads say token 4 or token 6, by the sign of one number, so that some guesses are right and some wrong.
        tiny.Tensors["output.weight"] = [20, 16];
        float[] head = new float[20 * 16];
        for (int column = 0; column < 16; column++)
            (head[(4 * 16) + column], head[(6 * 16) + column]) = (column - 7.5f, 7.5f - column);
        tiny.Values["output.weight"] = tiny.Values["blk.2.nextn.shared_head_head.weight"] = head;
        using Model model = tiny.Load(new ModelOptions { Threads = 2, Activations = activations, CacheType = cache });
        int accepted = 0;
        int drafted = 0;
        foreach (SamplingOptions sampling in new[] { SamplingOptions.Greedy, new() { Seed = 1 }, new() { Seed = 2, Temperature = 0.2f } })
        {
            var options = new GenerationOptions { MaxTokens = 50, Sampling = sampling };
            Written expected = Written.By(model, Prompt, options);
            foreach (int most in new[] { 1, 2, 6 })
            {
                foreach (int chunk in new[] { 1, 3, 8 })
                {
                    Written written = Written.By(
                        model, Prompt,
                        options with { Speculation = Speculation.NextTokens, DraftTokens = most, PromptChunk = chunk });
                    expected.MustEqual(written, $"{most} guesses, chunks of {chunk}");
                    accepted += written.Drafts.Accepted;
                    drafted += written.Drafts.Drafted;
                }
            }
        }

        Assert.InRange(accepted, 1, drafted - 1);
    }

    /// <summary>
    /// The same layer as a model of its own, which reads W · [norm(embedding); norm(h)], computed here in double precision, as input
    /// embeddings: its logits are the layer's.
    /// </summary>
    [Fact]
    public void It_joins_hidden_states_and_following_tokens_and_computes_a_layer()
    {
        TinyModel tiny = TinyModel.DeepSeek2WithNextToken();
        Dictionary<string, float[]> weights = Fix(tiny);
        using Model model = tiny.Load(new ModelOptions { Threads = 1, CacheType = CacheType.F32 });
        using Model layer = Alone(weights).Load(new ModelOptions { Threads = 1, CacheType = CacheType.F32 });

        var trace = new Trace();
        using KvCache cache = model.CreateCache(512);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(8);
        foreach (int id in Prompt)
            batch.Add(sequence, id, wantsLogits: true);
        model.Forward(batch, trace);
        var hidden = new float[Prompt.Length * 16];
        for (int row = 0; row < Prompt.Length; row++)
        {
            model.CopyHidden(row, hidden.AsSpan(row * 16, 16));
            for (int column = 0; column < 16; column++)
                Assert.Equal(trace[TraceName.OutputNorm][row][column], hidden[(row * 16) + column]);
        }

        int[] followers = [.. Prompt[1..], 13];
        float[] expected = Expected(layer, weights, hidden, followers);
        foreach (int cut in new[] { 8, 3, 1 })
        {
            using Sequence fresh = cache.CreateSequence();
            batch.Clear();
            foreach (int id in Prompt)
                batch.Add(fresh, id, wantsLogits: false);
            model.Forward(batch);
            var last = new float[16];
            Logits logits = default;
            for (int first = 0; first < followers.Length; first += cut)
            {
                int count = Math.Min(cut, followers.Length - first);
                logits = model.PredictNext(
                    fresh, first, followers.AsSpan(first, count), hidden.AsSpan(first * 16, count * 16), last, wantsLogits: true);
            }

            for (int id = 0; id < 20; id++)
                Assert.Equal(expected[id], logits[0][id], 1e-4f);
        }
    }

    [Fact]
    public void A_model_without_the_layer_is_told_so()
    {
        using Model model = TinyModel.DeepSeek2().Load();
        Assert.False(model.PredictsNextTokens);
        using var session = new Session(model);
        string message = Assert.Throws<InvalidRequestException>(
            () => session.Generate(Prompt, new GenerationOptions { Speculation = Speculation.NextTokens })).Message;
        Assert.Contains("no layer that predicts further tokens", message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_counts_as_a_layer_of_the_cache_and_not_of_the_model()
    {
        using Model with = TinyModel.DeepSeek2WithNextToken().Load();
        using Model without = TinyModel.DeepSeek2().Load();
        Assert.True(with.PredictsNextTokens);
        Assert.Equal(without.Info.Layers, with.Info.Layers);
        Assert.Equal(without.Info.ActiveParameters, with.Info.ActiveParameters);
        Assert.Equal(without.CacheShape with { Layers = without.CacheShape.Layers + 1 }, with.CacheShape);
    }

    /// <summary>Gives every tensor values that the test knows.</summary>
    private static Dictionary<string, float[]> Fix(TinyModel tiny)
    {
        var random = new Random(11);
        foreach ((string name, int[] shape) in tiny.Tensors)
        {
            int count = shape.Aggregate(1, (product, size) => product * size);
            tiny.Values[name] = [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        }

        return tiny.Values;
    }

    /// <summary>The layer's block as the only layer of a model, with the layer's norm and head.</summary>
    private static TinyModel Alone(Dictionary<string, float[]> weights)
    {
        TinyModel tiny = TinyModel.DeepSeek2();
        tiny.Keys["deepseek2.block_count"] = 1u;
        tiny.Keys["deepseek2.leading_dense_block_count"] = 0u;
        foreach (string name in tiny.Tensors.Keys.Where(name => name.StartsWith("blk.0.", StringComparison.Ordinal)).ToArray())
            tiny.Tensors.Remove(name);
        foreach ((string name, int[] shape) in tiny.Tensors.Where(tensor => tensor.Key.StartsWith("blk.1.", StringComparison.Ordinal)).ToArray())
        {
            tiny.Tensors.Remove(name);
            tiny.Tensors[name.Replace("blk.1.", "blk.0.", StringComparison.Ordinal)] = shape;
            tiny.Values[name.Replace("blk.1.", "blk.0.", StringComparison.Ordinal)] =
                weights[name.Replace("blk.1.", "blk.2.", StringComparison.Ordinal)];
        }

        tiny.Tensors["output.weight"] = [20, 16];
        tiny.Values["output.weight"] = weights["blk.2.nextn.shared_head_head.weight"];
        tiny.Values["output_norm.weight"] = weights["blk.2.nextn.shared_head_norm.weight"];
        return tiny;
    }

    private static float[] Expected(Model layer, Dictionary<string, float[]> weights, float[] hidden, int[] followers)
    {
        using KvCache cache = layer.CreateCache(64);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(followers.Length);
        for (int row = 0; row < followers.Length; row++)
        {
            double[] joint =
            [
                .. Normal(weights["token_embd.weight"].AsSpan(followers[row] * 16, 16), weights["blk.2.nextn.enorm.weight"]),
                .. Normal(hidden.AsSpan(row * 16, 16), weights["blk.2.nextn.hnorm.weight"]),
            ];
            float[] w = weights["blk.2.nextn.eh_proj.weight"];
            var x = new float[16];
            for (int output = 0; output < 16; output++)
            {
                double sum = 0;
                for (int input = 0; input < 32; input++)
                    sum += w[(output * 32) + input] * joint[input];
                x[output] = (float)sum;
            }

            batch.Add(sequence, x, wantsLogits: row == followers.Length - 1);
        }

        return layer.Forward(batch)[0].ToArray();
    }

    private static double[] Normal(ReadOnlySpan<float> x, float[] gain)
    {
        double squares = 0;
        foreach (float value in x)
            squares += (double)value * value;
        var y = new double[x.Length];
        for (int column = 0; column < y.Length; column++)
            y[column] = x[column] / Math.Sqrt((squares / x.Length) + 1e-6) * gain[column];
        return y;
    }
}
