using Pure.Tokenizers.Pipeline;

namespace Pure.Tokenizers;

/// <summary>A tokenizer of a GGUF file: special tokens are cut out of the text first, and what lies between them is encoded
/// piece by piece.</summary>
internal abstract class FragmentTokenizer : Tokenizer
{
    private readonly SpecialTokens _specials;

    /// <param name="data">What the file says.</param>
    /// <param name="vocabulary">The same, validated.</param>
    /// <param name="addsBos">Whether a text begins with a token of its own, if the file does not say.</param>
    /// <param name="addsEos">Whether it ends with one.</param>
    /// <param name="joinsPairs">Whether two texts go together, with the token that ends a text after each.</param>
    private protected FragmentTokenizer(
        VocabularyData data, Vocabulary vocabulary, bool addsBos, bool addsEos = false, bool joinsPairs = false)
        : base(vocabulary, FrameOf(data, vocabulary, addsBos, addsEos, joinsPairs))
    {
        bool isPhi3 = Names("phi-3") || Names("phi3");
        _specials = new SpecialTokens(vocabulary, text => isPhi3 && !WellKnownTokens.Phi3KeepsBlanksAfter.Contains(text));

        bool Names(string model) => data.ModelName?.Contains(model, StringComparison.OrdinalIgnoreCase) ?? false;
    }

    private protected override void EncodeText(ReadOnlySpan<char> text, bool parseSpecial, List<int> destination)
    {
        var merger = new PairMerger();
        bool afterSpecial = true;
        foreach (var fragment in _specials.Cut(text, parseSpecial))
        {
            if (fragment.Token >= 0)
                destination.Add(fragment.Token);
            else
                EncodeFragment(text.Slice(fragment.Start, fragment.Length), afterSpecial, merger, destination);
            afterSpecial = fragment.Token >= 0;
        }
    }

    /// <summary>Encodes text without special tokens.</summary>
    /// <param name="text">Well-formed, not empty.</param>
    /// <param name="afterSpecial">Whether it stands at the very beginning or after a special token.</param>
    /// <param name="merger">Scratch.</param>
    /// <param name="destination">Where the ids go.</param>
    private protected abstract void EncodeFragment(
        ReadOnlySpan<char> text, bool afterSpecial, PairMerger merger, List<int> destination);

    private static Frame FrameOf(VocabularyData data, Vocabulary vocabulary, bool addsBos, bool addsEos, bool joinsPairs)
    {
        int[] prefix = Adds("tokenizer.ggml.add_bos_token", data.AddBos, "bos", vocabulary.Bos, addsBos);
        int[] suffix = Adds("tokenizer.ggml.add_eos_token", data.AddEos, "eos", vocabulary.Eos, addsEos);
        return new(prefix, suffix, joinsPairs ? new(prefix, suffix, suffix) : null);
    }

    private static int[] Adds(string key, bool? given, string name, int? id, bool byDefault)
    {
        if (given == true && id is null)
            throw new TokenizerException(
                $"{key} is true, but no token is named to add; expected tokenizer.ggml.{name}_token_id.");
        return (given ?? byDefault) && id is { } added ? [added] : [];
    }
}
