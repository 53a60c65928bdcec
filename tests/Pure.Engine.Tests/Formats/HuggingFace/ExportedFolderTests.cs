using Pure.Engine.Formats;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>Architectures for which no folder with reference logits is at hand: one model as a GGUF file and as a folder.</summary>
public sealed class ExportedFolderTests(ITestOutputHelper output) : IDisposable
{
    private static readonly ModelOptions Exact = new() { Activations = ActivationType.F32, CacheType = CacheType.F32 };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("qwen2", "Qwen2ForCausalLM", """{"tie_word_embeddings": false, "use_sliding_window": false, "sliding_window": 32768}""")]
    [InlineData("qwen3-tied", "Qwen3ForCausalLM", """{"tie_word_embeddings": true}""")]
    [InlineData(
        "qwen2moe",
        "Qwen2MoeForCausalLM",
        """
        {"num_experts": 8, "num_experts_per_tok": 4, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 96,
         "norm_topk_prob": false, "decoder_sparse_step": 1, "mlp_only_layers": [], "use_sliding_window": false, "sliding_window": 32768}
        """)]
    public void A_folder_gives_the_bits_of_the_same_model_as_a_gguf_file(string golden, string architecture, string config)
    {
        var reference = Golden.Open(golden);
        ExportedFolder.Write(reference.ModelPath, _folder, architecture, permuted: false, config);
        using Model theirs = Model.Load(reference.ModelPath, Exact);
        using Model ours = Model.Load(_folder.Path, Exact);

        Assert.Equal(Run.Logits(theirs, reference.Tokens), Run.Logits(ours, reference.Tokens));
    }

    /// <summary>
    /// Where a GGUF file has permuted rows of q and k, their products are the same sums in another order: the folder is held against
    /// the exact logits instead.
    /// </summary>
    [Theory]
    [InlineData(
        "deepseek-v1",
        "DeepseekForCausalLM",
        """
        {"n_routed_experts": 8, "n_shared_experts": 2, "num_experts_per_tok": 3, "moe_intermediate_size": 32, "first_k_dense_replace": 1,
         "moe_layer_freq": 1, "norm_topk_prob": false, "scoring_func": "softmax", "rope_scaling": null}
        """)]
    [InlineData("llama-rope-linear", "LlamaForCausalLM", """{"rope_scaling": {"type": "linear", "factor": 4.0}}""")]
    [InlineData(
        "llama-rope-yarn",
        "MistralForCausalLM",
        """{"rope_scaling": {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 64}, "sliding_window": null}""")]
    [InlineData(
        "llama-rope-llama3",
        "LlamaForCausalLM",
        """
        {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 64}, "tie_word_embeddings": true}
        """)]
    public void A_folder_gives_the_exact_logits_and_greedy_tokens_of_the_same_model_as_a_gguf_file(string golden, string architecture, string config)
    {
        var reference = Golden.Open(golden);
        ExportedFolder.Write(reference.ModelPath, _folder, architecture, permuted: true, config);
        using Model model = Model.Load(_folder.Path, Exact);

        Close(Run.Logits(model, reference.Tokens), reference.ExactLogits);
        Assert.Equal(reference.GreedyTokens, Run.Greedy(model, reference.Tokens.AsSpan(0, reference.PromptLength), reference.GreedyTokens.Length));
        if (reference.Long is not var (tokens, positions, exact))
            return;
        float[] logits = Run.Logits(model, tokens);
        Close([.. positions.SelectMany(position => logits[(position * reference.Vocabulary)..((position + 1) * reference.Vocabulary)])], exact);

        void Close(float[] ours, float[] theirs)
        {
            double nmse = Golden.Nmse(ours, theirs);
            output.WriteLine($"{golden}: NMSE {nmse:e2}");
            Assert.True(nmse <= 1e-9, $"NMSE {nmse:e2} is above 1e-9");
        }
    }
}
