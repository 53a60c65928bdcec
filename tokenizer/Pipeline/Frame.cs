namespace Pure.Tokenizers.Pipeline;

/// <summary>The tokens around a text (a <c>post_processor</c> of <c>tokenizer.json</c>).</summary>
/// <param name="Prefix">What goes before it.</param>
/// <param name="Suffix">What goes after it.</param>
internal readonly record struct Frame(int[] Prefix, int[] Suffix)
{
    public static readonly Frame None = new([], []);

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
            case "BertProcessing" or "RobertaProcessing":
                return new([Special(processor.Get("cls"), size)], [Special(processor.Get("sep"), size)]);
            case "TemplateProcessing":
                return ReadTemplate(processor, size);
            case "Sequence":
                var frame = None;
                foreach (var step in processor.Get("processors").Items())
                {
                    var outer = Read(step, size);
                    frame = new([.. outer.Prefix, .. frame.Prefix], [.. frame.Suffix, .. outer.Suffix]);
                }
                return frame;
            case var type:
                throw processor.Unsupported(type, "ByteLevel, BertProcessing, RobertaProcessing, TemplateProcessing and Sequence");
        }
    }

    private static Frame ReadTemplate(JsonNode node, int size)
    {
        List<int> prefix = [];
        List<int> suffix = [];
        bool hasText = false;
        var template = node.Get("single");
        foreach (var item in template.Items())
        {
            if (item.Find("SpecialToken") is { } special)
                (hasText ? suffix : prefix).AddRange(Ids(node, special.Get("id").Text(), size));
            else if (item.Get("Sequence").Get("id").Text() == "A" && !hasText)
                hasText = true;
            else
                throw item.Error("is a second text in a template for a single one");
        }
        if (!hasText)
            throw template.Error("has no place for the text");
        return new([.. prefix], [.. suffix]);
    }

    private static IEnumerable<int> Ids(JsonNode node, string token, int size) =>
        node.Get("special_tokens").Get(token).Get("ids").Items().Select(id => Checked(id, size));

    private static int Special(JsonNode pair, int size) =>
        pair.Items() is [_, var id] ? Checked(id, size) : throw pair.Unexpected("a token with its id");

    private static int Checked(JsonNode node, int size) => node.Integer() is >= 0 and int id && id < size
        ? id
        : throw node.Error($"is {node.Integer()}, outside the vocabulary of {size} tokens");
}
