namespace Pure.Tokenizers.Pipeline;

/// <summary>The parts of a tokenizer, as a <c>tokenizer.json</c> names them.</summary>
internal sealed record PipelineParts
{
    public required Vocabulary Vocabulary { get; init; }

    /// <summary>The tokens looked for in the text as it comes.</summary>
    public required AddedTokens Added { get; init; }

    /// <summary>The tokens looked for in the normalized text.</summary>
    public required AddedTokens AddedNormalized { get; init; }

    public Normalizer? Normalizer { get; init; }

    public Splitter? Splitter { get; init; }

    public required SubwordModel Model { get; init; }

    /// <summary>What goes around a text.</summary>
    public required Frame Frame { get; init; }

    public required TokenDecoder Decoder { get; init; }

    /// <summary>Whether the unknown token is part of a text.</summary>
    public bool ShowsUnknown { get; init; }
}

/// <summary>
/// A tokenizer in the steps of Hugging Face's <c>tokenizers</c> library (and, with other parts, of SentencePiece): added tokens are cut out; the rest is normalized
/// and cut into words; each word becomes tokens.
/// </summary>
internal sealed class PipelineTokenizer(PipelineParts parts) : Tokenizer(parts.Vocabulary, parts.Frame)
{
    private readonly WordCache _words = new();

    internal override bool DropsLeadingSpace => parts.Decoder.StripsLeadingSpace;

    internal override bool HoldsTrailingSpace => parts.Decoder.HoldsTrailingSpace;

    internal override bool ShowsUnknown => parts.ShowsUnknown;

    internal override ReadOnlySpan<byte> FirstBytes(int id) =>
        parts.Decoder.Decode(TokenText(id), IsAdded(Kind(id)), isFirst: true);

    /// <summary>Whether a token of that kind is written as it is.</summary>
    public static bool IsAdded(TokenKind kind) => kind is TokenKind.Control or TokenKind.UserDefined;

    private protected override void EncodeText(ReadOnlySpan<char> text, bool parseSpecial, List<int> destination)
    {
        var merger = new PairMerger();
        foreach (var outer in parts.Added.Cut(text, parseSpecial))
        {
            if (outer.Token >= 0)
            {
                destination.Add(outer.Token);
                continue;
            }
            string normalized = text.Slice(outer.Start, outer.Length).ToString();
            normalized = parts.Normalizer?.Apply(normalized) ?? normalized;
            foreach (var inner in parts.AddedNormalized.Cut(normalized, parseSpecial))
            {
                if (inner.Token >= 0)
                    destination.Add(inner.Token);
                else
                    EncodeWords(normalized.Substring(inner.Start, inner.Length), outer.Start + inner.Start == 0, merger, destination);
            }
        }
    }

    private void EncodeWords(string text, bool isStart, PairMerger merger, List<int> destination)
    {
        var words = new Words(text, isStart);
        parts.Splitter?.Split(words);
        foreach (var (start, end) in words.Spans)
        {
            var word = words.Text.AsSpan(start, end - start);
            if (_words.TryAppend(word, destination))
                continue;
            int before = destination.Count;
            parts.Model.Encode(word, merger, destination);
            _words.Remember(word, destination, before);
        }
    }
}
