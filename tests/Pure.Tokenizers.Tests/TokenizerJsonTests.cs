using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Pure.Tokenizers.Tests;

/// <summary>Our ids against those of Hugging Face's library, from the same <c>tokenizer.json</c>.</summary>
public sealed class TokenizerJsonTests
{
    private static readonly string[] Folder = ["data", "hf-tokenizers"];

    [Theory]
    [InlineData("deepseek-v3")]
    [InlineData("qwen3")]
    [InlineData("llama-3.1")]
    public void Published_tokenizers_give_the_ids_of_hugging_face(string name)
    {
        var tokenizer = Load(name);
        using var document = Parse([.. Folder, name, "cases.json"]);
        foreach (var item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            string text = item.GetProperty("text").GetString()!;
            int[] expected = Goldens.Ids(item.GetProperty("ids"));
            Assert.Equal(expected, tokenizer.Encode(text, addSpecial: false));
            string decoded = tokenizer.Decode(expected, renderSpecial: true);
            Assert.Equal(name == "qwen3" ? Unicode.Normalization.Apply(text, NormalizationForm.FormC) : text, decoded);
            // There no added token is recognised; here those that are not special always are.
            bool hasUserDefined = expected.Any(id => tokenizer.Kind(id) == TokenKind.UserDefined);
            if (item.TryGetProperty("ids_specials_as_text", out var plain) && !hasUserDefined)
                Assert.Equal(Goldens.Ids(plain), tokenizer.Encode(text, addSpecial: false, parseSpecial: false));
        }
    }

    public static readonly TheoryData<string> TinyGroups =
    [
        "byte_level", "metaspace", "wordpiece", "split_qwen2", "split_cl100k", "metaspace_pretok", "unigram", "split_deepseek",
        "bytelevel_noregex", "split_o200k", "digits_bytelevel", "falcon_seq", "split_o200k_harmony", "split_qwen35", "split_qwen35_ascii",
    ];

    [Theory]
    [MemberData(nameof(TinyGroups))]
    public void Tiny_tokenizers_of_every_kind_give_the_ids_and_texts_of_hugging_face(string group)
    {
        using var document = Parse([.. Folder, "neural-api-tiny", "hf_tokenizer_cases.json"]);
        var cases = document.RootElement.GetProperty(group);
        var tokenizer = TokenizerJson.Open(
            Goldens.Shared([.. Folder, "neural-api-tiny", cases.GetProperty("tokenizer").GetString()!]));
        foreach (var item in cases.GetProperty("cases").EnumerateArray())
        {
            int[] expected = Goldens.Ids(item.GetProperty("ids"));
            Assert.Equal(expected, tokenizer.Encode(item.GetProperty("text").GetString(), addSpecial: false));
            Assert.Equal(item.GetProperty("decoded").GetString(), tokenizer.Decode(expected));
        }
    }

    [Theory]
    [InlineData("Xenova/Qwen1.5-0.5B-Chat", "qwen3")]
    [InlineData("Xenova/llama3-tokenizer-new", "llama-3.1")]
    [InlineData("Xenova/llama3-tokenizer", "llama-3.1")]
    [InlineData("Xenova/bert-base-uncased", "bert-base-uncased")]
    [InlineData("Xenova/deepseek-coder-1.3b-instruct", "ggml-vocab-deepseek-coder.gguf")]
    [InlineData("tiiuae/falcon-7b", "ggml-vocab-falcon.gguf")]
    [InlineData("Xenova/gpt2", "ggml-vocab-gpt-2.gguf")]
    [InlineData("Xenova/llama-tokenizer", "ggml-vocab-llama-spm.gguf")]
    public void Published_tokenizers_give_the_ids_of_transformers_js(string model, string tokenizerName)
    {
        var tokenizer = tokenizerName.EndsWith(".gguf", StringComparison.Ordinal)
            ? Goldens.Load(Goldens.Shared("data", "vocab", tokenizerName))
            : Load(tokenizerName);
        using var document = Parse([.. Folder, "transformersjs-cases.json"]);
        foreach (var item in document.RootElement.GetProperty("models").GetProperty(model).GetProperty("cases").EnumerateArray())
        {
            int[] expected = Goldens.Ids(item.GetProperty("ids"));
            if (item.TryGetProperty("text_pair", out var second))
            {
                Assert.Equal(expected, tokenizer.EncodePair(item.GetProperty("text").GetString(), second.GetString()));
                continue;
            }
            bool addSpecial = expected.Length > 0 && expected[0] == tokenizer.Bos;
            Assert.Equal(expected, tokenizer.Encode(item.GetProperty("text").GetString(), addSpecial));
        }
    }

    [Theory]
    [InlineData("""{"type":"BertProcessing","sep":["</s>",2],"cls":["<s>",1]}""", new[] { 1, 3, 2, 4, 2 })]
    [InlineData("""{"type":"RobertaProcessing","sep":["</s>",2],"cls":["<s>",1]}""", new[] { 1, 3, 2, 2, 4, 2 })]
    [InlineData("""{"type":"ByteLevel"}""", new[] { 3, 4 })]
    [InlineData("null", new[] { 3, 4 })]
    [InlineData(
        """{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}}],"pair":[{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"</s>"}},{"Sequence":{"id":"B"}}],"special_tokens":{"</s>":{"ids":[2]}}}]}""",
        new[] { 3, 2, 4 })]
    [InlineData(
        """{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}}],"pair":[{"Sequence":{"id":"B"}},{"Sequence":{"id":"A"}}],"special_tokens":{}}""", null)]
    [InlineData("""{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}}],"special_tokens":{}}""", null)]
    public void Two_texts_go_together_as_the_file_says(string frame, int[]? expected)
    {
        var file = TinyTokenizers.File(
            """{"type":"WordPiece","unk_token":"?","vocab":{"?":0,"<s>":1,"</s>":2,"a":3,"b":4}}""", frame: frame);
        var tokenizer = TokenizerJson.Create(Encoding.UTF8.GetBytes(file.ToJsonString()));
        if (expected is null)
            Assert.Throws<TokenizerException>(() => tokenizer.EncodePair("a", "b"));
        else
            Assert.Equal(expected, tokenizer.EncodePair("a", "b"));
    }

    [Fact]
    public void Two_texts_go_together_in_a_bert_file()
    {
        var tokenizer = Tokenizer.Create(Vocabularies.Words);
        Assert.Equal(["[CLS]", "▁the", "[SEP]", "▁a", "[SEP]"], tokenizer.EncodePair("the", "a").Select(tokenizer.TokenText));
        Assert.Throws<TokenizerException>(() => Tokenizer.Create(Vocabularies.Bytes).EncodePair("a", "b"));
    }

    [Fact]
    public void Phi_3_gives_the_published_ids()
    {
        var tokenizer = Load("phi3-v");
        string[] texts = File.ReadAllText(Goldens.Shared("data", "vocab", "ggml-vocab-phi-3.gguf.inp"), new UTF8Encoding())
            .Split("\n__ggml_vocab_test__\n")[..^1];
        string[] ids = File.ReadAllText(Goldens.Shared("data", "vocab", "ggml-vocab-phi-3.gguf.out")).Split('\n');
        for (int i = 0; i < texts.Length; i++)
        {
            Assert.Equal(ids[i].Trim(), string.Join(' ', tokenizer.Encode(texts[i], addSpecial: false, parseSpecial: false)));
            Assert.Equal(texts[i], tokenizer.Decode(tokenizer.Encode(texts[i])));
        }
    }

    [Fact]
    public void The_tiny_story_model_gets_its_prompts_and_texts()
    {
        var tokenizer = TokenizerJson.Open(Goldens.Shared("data", "models", "tinystories-656k", "tokenizer.json"));
        using var greedy = Parse("data", "models", "tinystories-656k", "greedy.json");
        Assert.True(tokenizer.AddsBos);
        foreach (var item in greedy.RootElement.GetProperty("cases").EnumerateArray())
        {
            Assert.Equal(Goldens.Ids(item.GetProperty("prompt_ids")), tokenizer.Encode(item.GetProperty("prompt").GetString()));
            Assert.Equal(item.GetProperty("text").GetString(), tokenizer.Decode(Goldens.Ids(item.GetProperty("all_ids"))));
        }
    }

    [Theory]
    [InlineData("deepseek-v3")]
    [InlineData("qwen3")]
    [InlineData("llama-3.1")]
    public void Whole_files_give_the_expected_ids_and_decode_back(string name)
    {
        var tokenizer = Load(name);
        using var document = Parse("data", "text", "token-goldens.json");
        string key = $"hf-tokenizers/{name}/tokenizer.json.gz";
        foreach (var file in document.RootElement.GetProperty("goldens").GetProperty(key).EnumerateObject())
        {
            string text = Encoding.UTF8.GetString(File.ReadAllBytes(Goldens.Shared(["data", "text", .. file.Name.Split('/')])));
            int[] ids = tokenizer.Encode(text, addSpecial: false);
            Assert.Equal(Goldens.Ids(file.Value.GetProperty("first")), ids.Take(24));
            Assert.Equal(file.Value.GetProperty("n").GetInt32(), ids.Length);
            byte[] hash = SHA256.HashData(Encoding.ASCII.GetBytes(string.Join(',', ids)));
            Assert.Equal(file.Value.GetProperty("sha256").GetString(), Convert.ToHexStringLower(hash));
            string expected = name == "qwen3" ? Unicode.Normalization.Apply(text, NormalizationForm.FormC) : text;
            Assert.Equal(expected, tokenizer.Decode(ids, renderSpecial: true));
        }
    }

    [Theory]
    [InlineData("deepseek-v2")]
    [InlineData("deepseek-v3")]
    [InlineData("deepseek-v3-fp8")]
    [InlineData("llama")]
    [InlineData("llama-awq")]
    [InlineData("llama-gptq")]
    [InlineData("llama-gptq-actorder")]
    [InlineData("mixtral")]
    [InlineData("qwen2")]
    [InlineData("qwen3-moe")]
    public void The_golden_folders_open_and_round_trip(string folder)
    {
        var tokenizer = TokenizerJson.Open(Path.GetDirectoryName(Goldens.Shared("goldens", "hf", folder, "tokenizer.json"))!);
        Assert.Equal("<|bos|>", tokenizer.TokenText(tokenizer.Bos!.Value));
        Assert.True(tokenizer.IsEndOfGeneration(tokenizer.Eos!.Value));
        var random = new Random(3);
        for (int round = 0; round < 200; round++)
        {
            string text = RandomText.Next(random);
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text), renderSpecial: true));
        }
    }

    internal static Tokenizer Load(string name)
    {
        string[] folder = [.. Folder, name];
        if (name is "phi3-v" or "bert-base-uncased")
            return TokenizerJson.Open(Goldens.Shared([.. folder, "tokenizer.json"]));
        using var packed = new GZipStream(File.OpenRead(Goldens.Shared([.. folder, "tokenizer.json.gz"])), CompressionMode.Decompress);
        using var json = new MemoryStream();
        packed.CopyTo(json);
        return TokenizerJson.Create(json.ToArray(), TokenizerConfig.Open(Goldens.Shared([.. folder, "tokenizer_config.json"])));
    }

    private static JsonDocument Parse(params string[] path) => JsonDocument.Parse(File.ReadAllBytes(Goldens.Shared(path)));
}
