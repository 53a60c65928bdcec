namespace Pure.Tokenizers;

/// <summary>
/// What a file says about its vocabulary, before any of it is trusted. The names follow GGUF's <c>tokenizer.ggml.*</c>
/// keys; <see langword="null"/> means that the key is absent, and then the default named there holds: llama.cpp's, but for
/// the ids of <c>gpt2</c>, where llama.cpp takes Falcon's. <see cref="Tokenizer.Create"/> validates it.
/// </summary>
public sealed record VocabularyData
{
    /// <summary><c>tokenizer.ggml.model</c>: <c>gpt2</c> (byte-level BPE), <c>gemma4</c> (BPE of characters), <c>llama</c>
    /// (SentencePiece style) or <c>bert</c> (WordPiece).</summary>
    public required string Model { get; init; }

    /// <summary><c>tokenizer.ggml.pre</c>: how <c>gpt2</c> cuts text into words. Absent: <c>default</c>.</summary>
    public string? PreTokenizer { get; init; }

    /// <summary><c>general.name</c>. Only Phi-3 needs it: its files do not say that blanks after its special tokens are
    /// dropped, so the name must.</summary>
    public string? ModelName { get; init; }

    /// <summary><c>tokenizer.ggml.tokens</c>: the text of each token; the index is the id.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary><c>tokenizer.ggml.scores</c>, one per token; <c>llama</c> joins the pair with the highest first.</summary>
    public IReadOnlyList<float>? Scores { get; init; }

    /// <summary><c>tokenizer.ggml.token_type</c>, one <see cref="TokenKind"/> per token. Absent: all are normal.</summary>
    public IReadOnlyList<int>? Kinds { get; init; }

    /// <summary><c>tokenizer.ggml.merges</c>: <c>"left right"</c>, the most urgent first; <c>gpt2</c> needs them.</summary>
    public IReadOnlyList<string>? Merges { get; init; }

    /// <summary><c>tokenizer.ggml.bos_token_id</c>. Absent: 1 for <c>llama</c>, none for <c>gpt2</c>.</summary>
    public int? Bos { get; init; }

    /// <summary><c>tokenizer.ggml.eos_token_id</c>. Absent: 2 for <c>llama</c>, none for <c>gpt2</c>.</summary>
    public int? Eos { get; init; }

    /// <summary><c>tokenizer.ggml.eot_token_id</c>, the end of a turn. Absent: known by its text.</summary>
    public int? Eot { get; init; }

    /// <summary><c>tokenizer.ggml.unknown_token_id</c>. Absent: 0 for <c>llama</c>, none for <c>gpt2</c>.</summary>
    public int? Unknown { get; init; }

    /// <summary><c>tokenizer.ggml.padding_token_id</c>.</summary>
    public int? Padding { get; init; }

    /// <summary><c>tokenizer.ggml.seperator_token_id</c> (so spelt): the token that ends a text of <c>bert</c>, if no end of
    /// text is named. Absent: <c>[SEP]</c>.</summary>
    public int? Separator { get; init; }

    /// <summary><c>tokenizer.ggml.add_bos_token</c>. Absent: true for <c>llama</c>, <c>bert</c> and for the pre-tokenizers
    /// whose models want it, such as <c>llama-bpe</c>.</summary>
    public bool? AddBos { get; init; }

    /// <summary><c>tokenizer.ggml.add_eos_token</c>. Absent: true for <c>bert</c>.</summary>
    public bool? AddEos { get; init; }

    /// <summary><c>tokenizer.ggml.add_space_prefix</c>: <c>llama</c> puts a blank before the text and after each special
    /// token. Absent: true for <c>llama</c>.</summary>
    public bool? AddSpacePrefix { get; init; }
}
