using System.Text;
using System.Text.Json.Nodes;

namespace Pure.Tokenizers.Tests;

/// <summary>A <c>tokenizer.json</c> of every kind, made up for tests.</summary>
internal static class TinyTokenizers
{
    private static readonly Dictionary<string, Func<JsonObject>> Kinds = new()
    {
        ["byte-level"] = () => File(
            ByteLevelModel(),
            splitter: """{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}""",
            decoder: """{"type":"ByteLevel"}""",
            frame: """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[300],"tokens":["<s>"]}}}"""),
        ["known expression"] = () => File(
            ByteLevelModel(),
            normalizer: """{"type":"NFC"}""",
            splitter: """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""",
            decoder: """{"type":"ByteLevel"}"""),
        ["other expression"] = () => File(
            ByteLevelModel(),
            splitter: """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{Lu}?\\p{Ll}++|\\s+"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""",
            decoder: """{"type":"ByteLevel"}"""),
        ["metaspace"] = () => File(
            PiecesModel(),
            splitter: """{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true}""",
            decoder: """{"type":"Sequence","decoders":[{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true},{"type":"ByteFallback"},{"type":"Fuse"}]}"""),
        ["sentence pieces"] = () => File(
            PiecesModel(),
            normalizer: """{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}""",
            decoder: """{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"""),
        ["unigram"] = () => File(
            """{"type":"Unigram","unk_id":0,"byte_fallback":false,"vocab":[["<unk>",0],["▁",-2],["a",-3],["aa",-4.5],["▁the",-3.5],["t",-5],["h",-5],["e",-4],["▁a",-3.25]]}""",
            normalizer: """{"type":"NFKC"}""",
            splitter: """{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":false}""",
            decoder: """{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":false}"""),
        ["word pieces"] = () => File(
            """{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"a":1,"##a":2,"the":3,"##re":4,"!":5,"字":6,"e":7,"[CLS]":8,"[SEP]":9}}""",
            normalizer: """{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}""",
            splitter: """{"type":"BertPreTokenizer"}""",
            decoder: """{"type":"WordPiece","prefix":"##","cleanup":true}""",
            frame: """{"type":"BertProcessing","sep":["[SEP]",9],"cls":["[CLS]",8]}"""),
        ["word ends"] = () => File(
            """{"type":"BPE","unk_token":"<unk>","end_of_word_suffix":"</w>","vocab":{"<unk>":0,"a":1,"b":2,"a</w>":3,"b</w>":4,"ab</w>":5},"merges":["a b</w>"]}""",
            normalizer: """{"type":"Lowercase"}""",
            splitter: """{"type":"Whitespace"}""",
            decoder: """{"type":"BPEDecoder","suffix":"</w>"}"""),
        ["digits"] = () => File(
            ByteLevelModel(),
            normalizer: """{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},{"type":"Strip","strip_left":true,"strip_right":false},{"type":"Nmt"}]}""",
            splitter: """{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"Punctuation","behavior":"MergedWithPrevious"},{"type":"ByteLevel","add_prefix_space":true,"use_regex":false}]}""",
            decoder: """{"type":"ByteLevel"}"""),
    };

    public static IReadOnlyCollection<string> Names => Kinds.Keys;

    public static JsonObject Build(string kind) => Kinds[kind]();

    public static byte[] Read(string kind) => Encoding.UTF8.GetBytes(Build(kind).ToJsonString());

    public static JsonObject File(
        string model, string? normalizer = null, string? splitter = null, string? decoder = null, string? frame = null) => new()
        {
            ["version"] = "1.0",
            ["added_tokens"] = JsonNode.Parse("""
                [{"id":300,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
                 {"id":301,"content":"<think>","single_word":false,"lstrip":false,"rstrip":true,"normalized":true,"special":false}]
                """),
            ["normalizer"] = Parse(normalizer),
            ["pre_tokenizer"] = Parse(splitter),
            ["post_processor"] = Parse(frame),
            ["decoder"] = Parse(decoder),
            ["model"] = JsonNode.Parse(model),
        };

    private static JsonNode? Parse(string? json) => json is null ? null : JsonNode.Parse(json);

    private static string ByteLevelModel()
    {
        var vocabulary = new JsonObject();
        for (int value = 0; value < 256; value++)
            vocabulary[ByteAlphabet.Spell((byte)value).ToString()] = value;
        foreach (string token in (string[])["aa", "aaaa", "ĠĠ", "th", "the", "Ġthe"])
            vocabulary[token] = vocabulary.Count;
        return new JsonObject
        {
            ["type"] = "BPE",
            ["ignore_merges"] = true,
            ["vocab"] = vocabulary,
            ["merges"] = JsonNode.Parse("""["a a","aa aa","Ġ Ġ","t h","th e",["Ġ","the"]]"""),
        }.ToJsonString();
    }

    private static string PiecesModel()
    {
        var vocabulary = new JsonObject();
        foreach (string token in (string[])["<unk>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), "▁", "a", "b", "▁a", "ab"])
            vocabulary[token] = vocabulary.Count;
        return new JsonObject
        {
            ["type"] = "BPE",
            ["unk_token"] = "<unk>",
            ["fuse_unk"] = true,
            ["byte_fallback"] = true,
            ["vocab"] = vocabulary,
            ["merges"] = JsonNode.Parse("""["▁ a","a b"]"""),
        }.ToJsonString();
    }
}
