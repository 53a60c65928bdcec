namespace Pure.Tokenizers;

/// <summary>
/// Tokens known by their text. GGUF has no key for many of them, and files often give them a wrong kind; engines know
/// them by name, and so must we. The lists hold the names that llama.cpp's vocabulary loader knows.
/// </summary>
internal static class WellKnownTokens
{
    /// <summary>The end of a turn, the likeliest first.</summary>
    public static readonly string[] EndOfTurn =
    [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "<EOT>", "_<EOT>",
        "[EOT]", "<｜end▁of▁sentence｜>", "<end_of_utterance>",
    ];

    /// <summary>Generation stops at these: ends of turns, messages and texts, and the marks that close a fill-in-the-middle
    /// answer. They are control tokens whatever the file says, but for <c>&lt;/s&gt;</c>: Phi-3 makes that one user-defined,
    /// and means it.</summary>
    public static readonly string[] Ends =
    [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
        "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>",
        "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[",
        "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]",
        "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
    ];

    /// <summary>The other marks of fill-in-the-middle: control tokens whatever the file says.</summary>
    public static readonly string[] FillInTheMiddle =
    [
        "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>", "<|prefix|>",
        "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>", "<|suffix|>",
        "<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>", "<|middle|>",
    ];

    /// <summary>The marks of the harmony format, part of the visible answer.</summary>
    public static readonly string[] ChannelMarks = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

    /// <summary>The special tokens of Phi-3 after which blanks stay; after all others they are dropped.</summary>
    public static readonly string[] Phi3KeepsBlanksAfter = ["<unk>", "<s>", "<|endoftext|>"];
}
