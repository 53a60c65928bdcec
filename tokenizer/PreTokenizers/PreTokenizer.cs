namespace Pure.Tokenizers.PreTokenizers;

/// <summary>One pattern: the end of its match that begins exactly at <paramref name="at"/>. If there is none:
/// <paramref name="at"/>, or the complement (<c>~</c>) of a later place before which none begins either.</summary>
internal delegate int Pattern(Piece piece, int at);

/// <summary>
/// Cuts text into the words that byte-level BPE never merges across. Its patterns run one after the other, each on the
/// pieces that the one before has left: a match becomes a piece, and so does what lies between two matches. The names and
/// the patterns behind them are those of <c>tokenizer.ggml.pre</c> in llama.cpp.
/// </summary>
internal sealed class PreTokenizer(params Pattern[] patterns)
{
    private static readonly Dictionary<string, PreTokenizer> Known = Table(
        (["default"], new(
            Patterns.PunctuationAnd("$+<=>^|~"),
            Patterns.Gpt2Word,
            Patterns.Run(CharacterClass.Number),
            Patterns.AsciiDigits(3))),
        (["gpt-2", "phi-2", "gigachat", "a.x-4.0", "mellum", "exaone4", "mpt", "olmo", "jais", "trillion", "granite-docling",
            "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code", "roberta-bpe", "modern-bert"],
            new(Patterns.Gpt2Word)),
        (["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"],
            new(Patterns.Llama3Word(digits: 3)) { IgnoresMerges = true, AddsBos = true }),
        (["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"], new(Patterns.Llama3Word(digits: 3))),
        (["jais-2"], new(Patterns.Jais2Word)),
        (["minicpm5"], new(
            Patterns.Run(CharacterClass.Number, longest: 3),
            Patterns.Llama3Word(digits: int.MaxValue))
        {
            IgnoresMerges = true,
        }),
        (["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "grok-2", "solar-open", "bailingmoe", "bailingmoe2", "llada-moe"],
            new(Patterns.Llama3Word(digits: 1))),
        (["laguna"], new(Patterns.Line, Patterns.Llama3Word(digits: 1))),
        (["ufakzeka"], new(Patterns.Llama3Word(digits: 1, hasContractions: false))),
        (["exaone-moe"], new(Patterns.ExaoneMoeWord)),
        (["seed-coder"], new(Patterns.Llama3Word(digits: 1, signsTakeLineBreaks: false))),
        (["gpt-4o", "llama4", "kanana2", "minimax-m2", "talkie"], new(Gpt4o.Word(Gpt4o.IsUpperInLlamaCpp, Gpt4o.IsLowerInLlamaCpp))),
        (["tekken"],
            new(Gpt4o.Word(Gpt4o.IsUpperInLlamaCpp, Gpt4o.IsLowerInLlamaCpp, digits: 1, hasContractions: false))
            {
                IgnoresMerges = true,
                AddsBos = true,
            }),
        (["granite-embed-multi-97m"],
            new(Gpt4o.Word(Gpt4o.IsUpperOrMarkInLlamaCpp, Gpt4o.IsLowerOrMarkInLlamaCpp)) { IgnoresMerges = true }),
        (["tiny_aya", "cohere2moe"], new(NumberGroups.ThreesBeforeWordEnd, Gpt4o.Word(Gpt4o.IsUpper, Gpt4o.IsLower))),
        (["youtu"], new(Asian.YoutuRun, Gpt4o.Word(Gpt4o.IsUpper, Gpt4o.IsLower, digits: 1)) { IgnoresMerges = true }),
        (["kimi-k2"], new(Asian.KimiWord)),
        (["bloom", "poro-chat", "gpt3-finnish"], new(Patterns.BloomWord)),
        (["viking"], new(Patterns.BloomWord, Patterns.Run(CharacterClass.Number, longest: 1))),
        (["qwen35"], new(Patterns.Llama3Word(digits: 1, CharacterClass.Letter | CharacterClass.Mark))),
        (["deepseek-llm"], new(
            Patterns.LineBreak,
            Patterns.Run(DeepSeek.IsLetter, afterSpace: true),
            Patterns.Run(DeepSeek.IsPunctuation, afterSpace: true),
            Patterns.TrailingSpace,
            Patterns.Run(DeepSeek.IsIdeograph),
            Patterns.Run(CharacterClass.Number))),
        (["deepseek-coder"], new(
            Patterns.LineBreak,
            Patterns.Run(CharacterClass.Letter, afterSpace: true),
            Patterns.Run(CharacterClass.Punctuation, afterSpace: true),
            Patterns.Run(DeepSeek.IsIdeograph),
            Patterns.Run(CharacterClass.Number, longest: 1))),
        (["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"], new(
            Patterns.Run(CharacterClass.Number, longest: 3),
            Patterns.Run(DeepSeek.IsHanOrKana),
            DeepSeek.V3Word())),
        (["spark2_5"], new(
            Patterns.Run(CharacterClass.Number, longest: 1),
            Patterns.Run(DeepSeek.IsHanOrKana),
            DeepSeek.V3Word(joinsLineBreaks: false))),
        (["afmoe"], new(NumberGroups.Threes, Patterns.Run(Asian.IsOfAfmoe), DeepSeek.V3Word())),
        (["superbpe"], new(Patterns.Run(CharacterClass.Number), NumberGroups.BetweenThrees)),
        (["chameleon"], new(
            Chameleon.Sentinel,
            Chameleon.Image,
            Chameleon.Blank,
            Patterns.Run(CharacterClass.Number, longest: 1),
            Patterns.Run(Pipeline.BertSplitter.IsPunctuation, longest: 1),
            Patterns.Gpt2Word)
        {
            AddsBos = true,
        }),
        (["falcon"], new(
            Patterns.PunctuationAnd("$+<=>^|~`"),
            Patterns.Gpt2Word,
            Patterns.AsciiDigits(3))),
        (["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"], new(
            Patterns.Run(CharacterClass.Number, longest: 1),
            Patterns.Gpt2Word)),
        (["gemma4", "granite-embed-multi-311m"],
            new(Patterns.Line) { KeepsCharacters = true, KeepsLineBreaks = true, AddsBos = true, OverrulesBos = true }),
        (["sarvam-moe"], new(Patterns.Line) { KeepsCharacters = true }));

    /// <summary>The names that <see cref="Named"/> knows.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>Whether a word that is a token is that token, whatever the merges would make of it.</summary>
    public bool IgnoresMerges { get; private init; }

    /// <summary>Whether the vocabulary is one of characters, with <c>▁</c> for blanks, instead of bytes.</summary>
    public bool KeepsCharacters { get; private init; }

    /// <summary>Whether a run of line breaks that is a token is that token.</summary>
    public bool KeepsLineBreaks { get; private init; }

    /// <summary>Whether models with this pre-tokenizer want a beginning-of-sequence token if the file does not say.</summary>
    public bool AddsBos { get; private init; }

    /// <summary>Whether they want it even if the file says no: the first files of Gemma 4 were wrong.</summary>
    public bool OverrulesBos { get; private init; }

    /// <summary>The pre-tokenizer of that name.</summary>
    /// <exception cref="TokenizerException">There is none.</exception>
    public static PreTokenizer Named(string name) => Known.TryGetValue(name, out var known)
        ? known
        : throw new TokenizerException(
            $"The pre-tokenizer (tokenizer.ggml.pre) {Vocabulary.Quote(name)} is not supported; "
            + $"supported are {string.Join(", ", Names)}.");

    /// <summary>Puts the end of each word, as an index into <paramref name="text"/> (well-formed UTF-16), into
    /// <paramref name="ends"/>.</summary>
    public void Split(ReadOnlySpan<char> text, List<int> ends)
    {
        var points = new CodePoints(text);
        ends.Clear();
        ends.Add(points.Count);
        var finer = new List<int>();
        foreach (var pattern in patterns)
        {
            finer.Clear();
            int start = 0;
            foreach (int end in ends)
            {
                Isolate(pattern, points.Piece.Slice(start, end), start, finer);
                start = end;
            }
            ends.Clear();
            ends.AddRange(finer);
        }
        points.ToUnits(ends);
        points.Return();
    }

    private static void Isolate(Pattern pattern, Piece piece, int offset, List<int> ends)
    {
        int unmatched = 0;
        for (int at = 0; at < piece.Length;)
        {
            int end = pattern(piece, at);
            if (end <= at)
            {
                at = end < 0 ? ~end : at + 1;
                continue;
            }
            if (unmatched < at)
                ends.Add(offset + at);
            ends.Add(offset + end);
            unmatched = at = end;
        }
        if (unmatched < piece.Length)
            ends.Add(offset + piece.Length);
    }

    private static Dictionary<string, PreTokenizer> Table(params ReadOnlySpan<(string[] Names, PreTokenizer PreTokenizer)> rows)
    {
        var table = new Dictionary<string, PreTokenizer>(StringComparer.Ordinal);
        foreach (var (names, preTokenizer) in rows)
        {
            foreach (string name in names)
                table.Add(name, preTokenizer);
        }
        return table;
    }
}
