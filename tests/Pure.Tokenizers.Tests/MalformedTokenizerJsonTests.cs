using System.Text;
using System.Text.Json.Nodes;

namespace Pure.Tokenizers.Tests;

/// <summary>A <c>tokenizer.json</c> that cannot be used is refused with one sentence that says what is wrong.</summary>
public sealed class MalformedTokenizerJsonTests
{
    private const string Model = """{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}""";

    [Theory]
    [InlineData("""{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}""", "model.merges", "\"ab\"", "no token")]
    [InlineData("""{"type":"BPE","vocab":{"a":0,"b":1},"merges":["ab"]}""", "model.merges", "index 0")]
    [InlineData("""{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}""", "model.vocab", "id 0", "\"a\"", "\"b\"")]
    [InlineData("""{"type":"BPE","vocab":{"a":1000000000},"merges":[]}""", "model.vocab", "1000000000")]
    [InlineData("""{"type":"BPE","vocab":{"a":-1},"merges":[]}""", "model.vocab", "-1")]
    [InlineData("""{"type":"BPE","vocab":{"a":"0"},"merges":[]}""", "model.vocab", "whole number")]
    [InlineData("""{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}""", "model", "\"a\"", "twice")]
    [InlineData("""{"type":"BPE","vocab":{"\ud800":0},"merges":[]}""", "model.vocab", "Unicode")]
    [InlineData("""{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"?"}""", "model.unk_token", "\"?\"")]
    [InlineData("""{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1}""", "model.dropout", "training")]
    [InlineData("""{"type":"BPE","vocab":{},"merges":[]}""", "empty")]
    [InlineData("""{"type":"WordLevel","vocab":{"a":0}}""", "model", "\"WordLevel\"", "WordPiece")]
    [InlineData("""{"type":"Unigram","vocab":[["a",0]],"unk_id":7}""", "model.unk_id", "7")]
    [InlineData("""{"type":"Unigram","vocab":[["a"]]}""", "model.vocab", "index 0")]
    [InlineData("""{"type":"Unigram","vocab":[["a",1e999]]}""", "model.vocab", "finite")]
    [InlineData("""{"type":"WordPiece","vocab":{"a":0}}""", "model", "unk_token")]
    public void A_wrong_model_is_named(string model, params string[] parts) => AssertSays($$"""{"model":{{model}}}""", parts);

    [Theory]
    [InlineData("normalizer", """{"type":"Magic"}""", "normalizer", "\"Magic\"", "NFKC")]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[{"type":"NFC"},{}]}""", "normalizer.normalizers[1]", "\"type\"")]
    [InlineData("normalizer", """{"type":"Precompiled","precompiled_charsmap":"////"}""", "normalizer.precompiled_charsmap", "damaged")]
    [InlineData("pre_tokenizer", """{"type":"UnicodeScripts"}""", "pre_tokenizer", "\"UnicodeScripts\"")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"["},"behavior":"Isolated"}""", "pre_tokenizer.pattern", "\"[\"")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"String":"a"},"behavior":"Sideways"}""", "pre_tokenizer.behavior", "\"Sideways\"")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","replacement":"ab"}""", "pre_tokenizer.replacement", "one character")]
    [InlineData("decoder", """{"type":"CTC"}""", "decoder", "\"CTC\"")]
    [InlineData("decoder", """{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":" ","start":0,"stop":1}]}""", "decoder.decoders[1]", "Fuse")]
    [InlineData("post_processor", """{"type":"BertProcessing","sep":["[SEP]",9],"cls":["[CLS]",8]}""", "post_processor.cls[1]", "8")]
    [InlineData("post_processor", """{"type":"TemplateProcessing","single":[],"special_tokens":{}}""", "post_processor.single", "in one place")]
    [InlineData("added_tokens", """[{"id":99999999,"content":"<s>"}]""", "added_tokens[0]", "99999999")]
    [InlineData("added_tokens", """[{"id":1,"content":"<s>"}]""", "added_tokens[0]", "id 1", "\"b\"")]
    [InlineData("added_tokens", """[{"id":3,"content":7}]""", "added_tokens[0].content", "7", "a string")]
    public void A_wrong_step_is_named(string key, string value, params string[] parts) =>
        AssertSays($$"""{"model":{{Model}},"{{key}}":{{value}}}""", parts);

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("[1,", "JSON", "line 1")]
    [InlineData("[]", "the file", "an object")]
    [InlineData("{}", "\"model\"")]
    public void A_file_that_is_something_else_is_refused(string json, params string[] parts) => AssertSays(json, parts);

    [Fact]
    public void A_million_brackets_are_refused() => AssertSays(new string('[', 1_000_000), "JSON", "64");

    [Fact]
    public void A_missing_file_is_named()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "no such folder", "tokenizer.json");
        Assert.Contains(path, Assert.Throws<TokenizerException>(() => TokenizerJson.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_expression_that_takes_too_long_is_given_up()
    {
        var file = JsonNode.Parse($$"""{"model":{{Model}},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(?=x)x|(a+)+(?!a)b"},"behavior":"Isolated"} }""")!;
        var tokenizer = TokenizerJson.Create(Encoding.UTF8.GetBytes(file.ToJsonString()));
        var refusal = Assert.Throws<TokenizerException>(() => tokenizer.Encode(new string('a', 40)));
        Assert.Contains("seconds", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[@]}""", """{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""")]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[@]}""", """{"type":"ByteLevel"}""")]
    [InlineData("pre_tokenizer", """{"type":"Sequence","pretokenizers":[@]}""", """{"type":"ByteLevel","use_regex":false}""")]
    public void Steps_that_multiply_a_text_are_stopped(string key, string sequence, string step)
    {
        string steps = sequence.Replace("@", string.Join(',', Enumerable.Repeat(step, 50)), StringComparison.Ordinal);
        var tokenizer = TokenizerJson.Create(Encoding.UTF8.GetBytes($$"""{"model":{{Model}},"{{key}}":{{steps}}}"""));
        Assert.Contains(
            "damaged", Assert.Throws<TokenizerException>(() => tokenizer.Encode("aaaa\u00E9 aaaa")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_decoder_that_multiplies_a_token_is_stopped() => AssertSays(
        $$"""{"model":{{Model}},"decoder":{"type":"Sequence","decoders":[{{string.Join(',', Enumerable.Repeat("""{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""", 50))}}]} }""",
        "decoder", "damaged");

    [Fact]
    public void A_configuration_says_what_begins_and_ends_a_text()
    {
        byte[] json = Encoding.UTF8.GetBytes($$"""{"model":{{Model}},"added_tokens":[{"id":3,"content":"<s>","special":true},{"id":4,"content":"</s>","special":true}]}""");
        var config = TokenizerConfig.Read(
            """{"bos_token":{"content":"<s>"},"eos_token":"</s>","add_bos_token":true,"add_eos_token":true,"chat_template":[{"name":"tool_use","template":"t"},{"name":"default","template":"d"}]}"""u8.ToArray());
        var tokenizer = TokenizerJson.Create(json, config);
        Assert.Equal([3, 2, 4], tokenizer.Encode("ab"));
        Assert.True(tokenizer.AddsBos && tokenizer.AddsEos && tokenizer.IsEndOfGeneration(4));
        Assert.Equal("d", config.ChatTemplate);
        Assert.Equal("t", config.NamedChatTemplates["tool_use"]);
        Assert.Equal([2], TokenizerJson.Create(json, config with { AddBos = false, AddEos = null }).Encode("ab"));
        Assert.Contains("bos_token", Assert.Throws<TokenizerException>(() => TokenizerConfig.Read("""{"bos_token":3}"""u8.ToArray())).Message, StringComparison.Ordinal);
    }

    private static void AssertSays(string json, params string[] parts)
    {
        string message = Assert.Throws<TokenizerException>(() => TokenizerJson.Create(Encoding.UTF8.GetBytes(json))).Message;
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", message, StringComparison.Ordinal);
    }
}
