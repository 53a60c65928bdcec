namespace Pure.Tokenizers.Pipeline;

/// <summary>Reads the decoder of a <c>tokenizer.json</c>.</summary>
internal static class DecoderReader
{
    private const string Supported = "Sequence, ByteLevel, Metaspace, WordPiece, ByteFallback, Fuse, Strip, Replace and BPEDecoder";

    public static TokenDecoder Read(JsonNode? node)
    {
        if (node is not { } decoder)
            return TokenDecoder.None;
        var steps = new List<DecodeStep>();
        var read = new TokenDecoder();
        bool isFused = false;
        foreach (var step in Flat(decoder, []))
            read = Add(step, read, steps, ref isFused);
        return read with { Steps = [.. steps] };
    }

    private static List<JsonNode> Flat(JsonNode node, List<JsonNode> steps)
    {
        if (node.Type() == "Sequence")
        {
            foreach (var step in node.Get("decoders").Items())
                Flat(step, steps);
        }
        else
        {
            steps.Add(node);
        }
        return steps;
    }

    /// <param name="node">The step.</param>
    /// <param name="decoder">What is read so far.</param>
    /// <param name="steps">Its steps so far.</param>
    /// <param name="isFused">Whether this step sees the text as a whole instead of token by token.</param>
    private static TokenDecoder Add(JsonNode node, TokenDecoder decoder, List<DecodeStep> steps, ref bool isFused)
    {
        string type = node.Type();
        switch (type)
        {
            case "ByteLevel":
                return decoder with { IsByteLevel = true };
            case "ByteFallback":
                return decoder with { HasByteTokens = true };
            case "Fuse":
                isFused = true;
                return decoder;
            case "Metaspace" when !isFused:
                steps.Add(TokenDecoder.Metaspace(StepReader.Mark(node), StepReader.ReadPrepend(node) != Prepend.Never));
                return decoder;
            case "WordPiece" when !isFused:
                steps.Add(TokenDecoder.WordPiece(node.Text("prefix") ?? "##", node.Boolean("cleanup", true)));
                return decoder;
            case "Replace" when !isFused || node.Get("pattern").Text("String") is { Length: 1 }:
                steps.Add(TokenDecoder.Replace(StepReader.ReadPattern(node.Get("pattern")), node.Get("content").Text()));
                return decoder;
            case "Strip":
                return AddStrip(node, decoder, steps, isFused);
            case "BPEDecoder" when !isFused:
                string suffix = node.Text("suffix") ?? "</w>";
                steps.Add(TokenDecoder.Replace(new TextMatcher(suffix), " "));
                return decoder with { HoldsTrailingSpace = true };
            case "Metaspace" or "WordPiece" or "Replace" or "BPEDecoder":
                throw node.Error($"is a step {type} after Fuse, which is not supported; put it before");
            default:
                throw node.Unsupported(type, Supported);
        }
    }

    private static TokenDecoder AddStrip(JsonNode node, TokenDecoder decoder, List<DecodeStep> steps, bool isFused)
    {
        char dropped = node.Get("content").Character();
        int left = node.Get("start").Integer();
        int right = node.Get("stop").Integer();
        if (!isFused)
            steps.Add(TokenDecoder.Strip(dropped, left, right));
        else if ((left, right) != (0, 0) && (dropped, left, right) != (' ', 1, 0))
            throw node.Error("strips other than one leading blank after Fuse, which is not supported");
        return isFused ? decoder with { StripsLeadingSpace = left == 1 } : decoder;
    }
}
