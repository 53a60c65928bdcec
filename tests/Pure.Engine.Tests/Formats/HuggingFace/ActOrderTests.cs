using Pure.Engine.Formats;
using Pure.Engine.Kernels;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Reference;
using Pure.Engine.Tests.Formats.Safetensors;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>GPTQ whose groups are scattered over the inputs, against the same weights written out as floats.</summary>
public sealed class ActOrderTests : IDisposable
{
    private const int Hidden = 64;
    private const int Group = 32;
    private static readonly int[] Tokens = [1, 5, 2, 7, 3, 3, 6];

    private readonly TemporaryFolder _quantised = new();
    private readonly TemporaryFolder _floats = new();

    public void Dispose()
    {
        _quantised.Dispose();
        _floats.Dispose();
    }

    [Theory]
    [InlineData(false, ElementType.Q5_0)]
    [InlineData(true, ElementType.Q4_0)]
    public void Scattered_groups_stay_quantised_and_give_the_weights_own_logits(bool symmetric, ElementType type)
    {
        (SafetensorsBuilder quantised, SafetensorsBuilder floats) = (Attention(), Attention());
        foreach (string part in (string[])["gate_proj", "up_proj", "down_proj"])
            AddBoth(quantised, floats, $"model.layers.0.mlp.{part}", symmetric);
        string folder = TinyFolder.Write(_quantised, Config("Llama", "", symmetric), quantised);
        using (ModelFile file = ModelFile.Open(folder))
        {
            Assert.True(file.TryGetTensor("blk.0.ffn_down.weight", out Tensor? tensor));
            Assert.Equal(type, tensor.Type);
            Assert.NotNull(tensor.ColumnOrders);
        }

        RequireSame(folder, TinyFolder.Write(_floats, Config("Llama", "", symmetric), floats));
    }

    [Fact]
    public void Experts_with_scattered_groups_give_the_weights_own_logits()
    {
        const string Sizes = """ "num_local_experts": 4, "num_experts_per_tok": 2,""";
        (SafetensorsBuilder quantised, SafetensorsBuilder floats) = (Attention(), Attention());
        quantised.Floats("model.layers.0.block_sparse_moe.gate.weight", 4, Hidden);
        floats.Floats("model.layers.0.block_sparse_moe.gate.weight", 4, Hidden);
        for (int expert = 0; expert < 4; expert++)
        {
            foreach (string part in (string[])["w1", "w2", "w3"])
                AddBoth(quantised, floats, $"model.layers.0.block_sparse_moe.experts.{expert}.{part}", symmetric: false);
        }

        RequireSame(
            TinyFolder.Write(_quantised, Config("Mixtral", Sizes, symmetric: false), quantised),
            TinyFolder.Write(_floats, Config("Mixtral", Sizes, symmetric: false), floats));
    }

    [Fact]
    public void Scattered_groups_give_the_same_bits_in_threads_chunks_and_instruction_sets()
    {
        (SafetensorsBuilder quantised, SafetensorsBuilder floats) = (Attention(), Attention());
        foreach (string part in (string[])["gate_proj", "up_proj", "down_proj"])
            AddBoth(quantised, floats, $"model.layers.0.mlp.{part}", symmetric: false);
        string folder = TinyFolder.Write(_quantised, Config("Llama", "", symmetric: false), quantised);
        foreach (ActivationType activations in Enum.GetValues<ActivationType>())
        {
            float[] expected = Logits(folder, new ModelOptions { Threads = 1, Isa = Isa.Scalar, Activations = activations });
            foreach (Isa isa in KernelSet.Supported)
                Assert.Equal(expected, Logits(folder, new ModelOptions { Threads = 3, Isa = isa, Activations = activations }, chunk: 2));
        }
    }

    private static void RequireSame(string quantised, string floats)
    {
        var options = new ModelOptions { Threads = 2, Activations = ActivationType.F32, CacheType = Memory.CacheType.F32 };
        using var ours = Model.Load(quantised, options);
        using var theirs = Model.Load(floats, options);
        IReadOnlyList<double[]> exact = new ReferenceModel(theirs).Logits(Tokens, trace: null, TestContext.Current.CancellationToken);
        Assert.Equal(exact, new ReferenceModel(ours).Logits(Tokens, trace: null, TestContext.Current.CancellationToken));
        double nmse = Golden.Nmse(Run.Logits(ours, Tokens), [.. exact.SelectMany(row => row.Select(logit => (float)logit))]);
        Assert.True(nmse <= 1e-9, $"NMSE {nmse:e2} is above 1e-9");
    }

    private static float[] Logits(string folder, ModelOptions options, int chunk = int.MaxValue)
    {
        using var model = Model.Load(folder, options);
        return Run.Logits(model, Tokens, chunk);
    }

    private static string Config(string architecture, string sizes, bool symmetric) => $$"""
        {"architectures": ["{{architecture}}ForCausalLM"], "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1,
         "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 8, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
         {{sizes}} "tie_word_embeddings": true, "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 32,
         "desc_act": true, "sym": {{(symmetric ? "true" : "false")}} } }
        """;

    private static SafetensorsBuilder Attention() => new SafetensorsBuilder()
        .Floats("model.embed_tokens.weight", 8, Hidden)
        .Floats("model.norm.weight", Hidden)
        .Floats("model.layers.0.input_layernorm.weight", Hidden)
        .Floats("model.layers.0.post_attention_layernorm.weight", Hidden)
        .Floats("model.layers.0.self_attn.q_proj.weight", Hidden, Hidden)
        .Floats("model.layers.0.self_attn.k_proj.weight", Hidden / 2, Hidden)
        .Floats("model.layers.0.self_attn.v_proj.weight", Hidden / 2, Hidden)
        .Floats("model.layers.0.self_attn.o_proj.weight", Hidden, Hidden);

    /// <summary>A matrix of random 4-bit weights, and its numbers.</summary>
    private static void AddBoth(SafetensorsBuilder quantised, SafetensorsBuilder floats, string name, bool symmetric)
    {
        // The name is the seed: every matrix has weights and an order of its own.
        var random = new Random(name.Aggregate(17, (hash, letter) => (hash * 31) + letter));
        int[] groupOf = [.. Enumerable.Range(0, Hidden).Select(input => input / Group)];
        random.Shuffle(groupOf);
        int[,] quants = Random(Hidden, Hidden, 16);
        int[,] zeros = Random(Hidden / Group, Hidden, 16);
        int[,] steps = Random(Hidden / Group, Hidden, 50);
        var words = new uint[Hidden / 8, Hidden];
        var zeroWords = new uint[Hidden / Group, Hidden / 8];
        var weights = new float[Hidden, Hidden]; // [outputs, inputs]
        for (int output = 0; output < Hidden; output++)
        {
            for (int group = 0; group < Hidden / Group; group++)
            {
                int stored = symmetric ? 7 : zeros[group, output];
                zeroWords[group, output / 8] |= (uint)stored << (4 * (output % 8));
            }

            for (int input = 0; input < Hidden; input++)
            {
                int group = groupOf[input];
                int zero = (symmetric ? 7 : zeros[group, output]) + 1;
                words[input / 8, output] |= (uint)quants[input, output] << (4 * (input % 8));
                weights[output, input] = (quants[input, output] - zero) * (float)Scale(steps[group, output]);
            }
        }

        quantised
            .Tensor($"{name}.qweight", "I32", [Hidden / 8, Hidden], Bytes(words.Cast<uint>(), BitConverter.GetBytes))
            .Tensor($"{name}.qzeros", "I32", [Hidden / Group, Hidden / 8], Bytes(zeroWords.Cast<uint>(), BitConverter.GetBytes))
            .Tensor($"{name}.scales", "F16", [Hidden / Group, Hidden], Bytes(steps.Cast<int>().Select(Scale), BitConverter.GetBytes))
            .Tensor($"{name}.g_idx", "I32", [Hidden], Bytes(groupOf, BitConverter.GetBytes));
        floats.Tensor($"{name}.weight", "F32", [Hidden, Hidden], Bytes(weights.Cast<float>(), BitConverter.GetBytes));

        int[,] Random(int rows, int columns, int end)
        {
            var values = new int[rows, columns];
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                    values[row, column] = random.Next(end);
            }

            return values;
        }
    }

    private static Half Scale(int step) => (Half)(0.01f + (step * 0.001f));

    private static byte[] Bytes<T>(IEnumerable<T> values, Func<T, byte[]> bytes) => [.. values.SelectMany(bytes)];
}
