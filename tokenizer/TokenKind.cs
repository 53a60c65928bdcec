namespace Pure.Tokenizers;

/// <summary>What a vocabulary says about one of its tokens; the values are those of GGUF's
/// <c>tokenizer.ggml.token_type</c>.</summary>
public enum TokenKind : byte
{
    /// <summary>The file says nothing; such a token has no text.</summary>
    Undefined = 0,

    /// <summary>Ordinary text.</summary>
    Normal = 1,

    /// <summary>Stands for what the vocabulary cannot spell.</summary>
    Unknown = 2,

    /// <summary>Steers the model (turn marks, end of text); written into text only on request.</summary>
    Control = 3,

    /// <summary>Added by the publisher; found in the text before anything else is, even when special tokens are not
    /// parsed.</summary>
    UserDefined = 4,

    /// <summary>A slot nobody uses, such as <c>[PAD151700]</c>; such a token has no text.</summary>
    Unused = 5,

    /// <summary>One byte, spelt <c>&lt;0x41&gt;</c>.</summary>
    Byte = 6,
}
