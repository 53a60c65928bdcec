namespace Pure.Tokenizers.Pipeline;

/// <summary>The tokens around a text, or around two (a <c>post_processor</c> of <c>tokenizer.json</c>).</summary>
/// <param name="Prefix">What goes before a text.</param>
/// <param name="Suffix">What goes after it.</param>
/// <param name="Pair">What goes around two texts; null if that is not said.</param>
internal sealed record Frame(int[] Prefix, int[] Suffix, PairFrame? Pair = null)
{
    public static readonly Frame None = new([], [], new([], [], []));

    /// <param name="node">The post-processor, or null.</param>
    /// <param name="size">How many tokens there are.</param>
    public static Frame Read(JsonNode? node, int size)
    {
        if (node is not { } processor)
            return None;
        switch (processor.Type())
        {
            case "ByteLevel":
                return None;
            case "BertProcessing":
                return ReadBert(processor, size, separators: 1);
            case "RobertaProcessing":
                return ReadBert(processor, size, separators: 2);
            case "TemplateProcessing":
                return ReadTemplate(processor, size);
            case "Sequence":
                var frame = None;
                foreach (var step in processor.Get("processors").Items())
                    frame = Read(step, size).Around(frame);
                return frame;
            case var type:
                throw processor.Unsupported(type, "ByteLevel, BertProcessing, RobertaProcessing, TemplateProcessing and Sequence");
        }
    }

    /// <summary>Two frames, one around the other; two that both say something do not say what they make of two texts.</summary>
    private Frame Around(Frame inner) => this == None ? inner : inner == None ? this
        : new([.. Prefix, .. inner.Prefix], [.. inner.Suffix, .. Suffix]);

    private static Frame ReadBert(JsonNode node, int size, int separators)
    {
        int start = Special(node.Get("cls"), size);
        int end = Special(node.Get("sep"), size);
        return new([start], [end], new([start], [.. Enumerable.Repeat(end, separators)], [end]));
    }

    private static Frame ReadTemplate(JsonNode node, int size)
    {
        var single = ReadParts(node, "single", size);
        if (single is not [("", var prefix), ("A", var suffix)])
            throw node.Get("single").Error("does not have the text A in one place");
        // The texts the other way round, or one of them twice, would be something else than a pair.
        var pair = node.Find("pair") is null ? null : ReadParts(node, "pair", size);
        return new(prefix, suffix, pair is [("", var before), ("A", var between), ("B", var after)] ? new(before, between, after) : null);
    }

    /// <summary>The texts of a template, each with the tokens after it; first those before all of them.</summary>
    private static List<(string Text, int[] Tokens)> ReadParts(JsonNode node, string template, int size)
    {
        List<(string Text, int[] Tokens)> parts = [("", [])];
        foreach (var item in node.Get(template).Items())
        {
            if (item.Find("SpecialToken") is { } special)
                parts[^1] = parts[^1] with { Tokens = [.. parts[^1].Tokens, .. Ids(node, special.Get("id").Text(), size)] };
            else
                parts.Add((item.Get("Sequence").Get("id").Text(), []));
        }
        return parts;
    }

    private static IEnumerable<int> Ids(JsonNode node, string token, int size) =>
        node.Get("special_tokens").Get(token).Get("ids").Items().Select(id => Checked(id, size));

    private static int Special(JsonNode pair, int size) =>
        pair.Items() is [_, var id] ? Checked(id, size) : throw pair.Unexpected("a token with its id");

    private static int Checked(JsonNode node, int size) => node.Integer() is >= 0 and int id && id < size
        ? id
        : throw node.Error($"is {node.Integer()}, outside the vocabulary of {size} tokens");
}

/// <summary>The tokens before, between and after two texts.</summary>
internal sealed record PairFrame(int[] Prefix, int[] Between, int[] Suffix);
