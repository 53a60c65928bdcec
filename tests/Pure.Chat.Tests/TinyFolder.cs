using System.Buffers.Binary;
using System.Text;
using Pure.Engine.Formats.Safetensors;

namespace Pure.Chat.Tests;

/// <summary>
/// The smallest Hugging Face folder that writes: it counts. After any token the next one of <see cref="Vocabulary"/> is the most
/// probable, and after the last the first.
/// </summary>
internal sealed class TinyFolder : IDisposable
{
    /// <summary>The tokens by id; the last three are added as special ones.</summary>
    internal static readonly string[] Vocabulary = ["a", "b", "c", "d", "e", "<s>", "</s>", "<pad>"];

    private const int Size = 32;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pure-chat-");

    internal TinyFolder()
    {
        Write("config.json", """
            {"architectures": ["LlamaForCausalLM"], "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
             "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 8, "max_position_embeddings": 64, "rms_norm_eps": 1e-05}
            """);
        Write("tokenizer.json", """
            {"version": "1.0", "decoder": {"type": "Fuse"}, "model": {"type": "BPE", "merges": [], "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}}, "added_tokens":
             [{"id": 5, "content": "<s>", "special": true}, {"id": 6, "content": "</s>", "special": true},
              {"id": 7, "content": "<pad>", "special": true}]}
            """);
        Write("tokenizer_config.json", """
            {"bos_token": "<s>", "eos_token": {"content": "</s>", "special": true}, "pad_token": "<pad>", "add_bos_token": false}
            """);
        using FileStream weights = File.Create(Path("model.safetensors"));
        SafetensorsWriter.Write(weights, Weights(), new Dictionary<string, string>());
    }

    internal string Root => _folder.FullName;

    internal string Path(string name) => System.IO.Path.Combine(Root, name);

    internal void Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    internal void Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path(name))!);
        File.WriteAllBytes(Path(name), bytes);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Embeddings are unit vectors, the layer adds nothing, and the head's row of a token is the embedding of the one before.</summary>
    private static List<SafetensorsContent> Weights() =>
    [
        Matrix("model.embed_tokens.weight", Vocabulary.Length, Size, (row, column) => row == column ? 1 : 0),
        Matrix("lm_head.weight", Vocabulary.Length, Size, (row, column) => column == (row + Vocabulary.Length - 1) % Vocabulary.Length ? 1 : 0),
        Vector("model.norm.weight"),
        Vector("model.layers.0.input_layernorm.weight"),
        Vector("model.layers.0.post_attention_layernorm.weight"),
        Zeros("self_attn.q_proj", Size),
        Zeros("self_attn.k_proj", Size / 2),
        Zeros("self_attn.v_proj", Size / 2),
        Zeros("self_attn.o_proj", Size),
        Zeros("mlp.gate_proj", Size),
        Zeros("mlp.up_proj", Size),
        Zeros("mlp.down_proj", Size),
    ];

    private static SafetensorsContent Zeros(string module, int rows) => Matrix($"model.layers.0.{module}.weight", rows, Size, (_, _) => 0);

    private static SafetensorsContent Vector(string name) => Content(name, [Size], Enumerable.Repeat(1f, Size));

    private static SafetensorsContent Matrix(string name, int rows, int columns, Func<int, int, float> element) => Content(
        name, [rows, columns], Enumerable.Range(0, rows * columns).Select(i => element(i / columns, i % columns)));

    private static SafetensorsContent Content(string name, long[] shape, IEnumerable<float> values) => new(
        name,
        SafetensorsType.F32,
        shape,
        stream =>
        {
            var bytes = new byte[sizeof(float)];
            foreach (float value in values)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
                stream.Write(bytes);
            }
        });
}
