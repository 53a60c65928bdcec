using System.Text;

namespace Pure.Tokenizers.Pipeline;

/// <summary>A step of decoding that rewrites one token's text, given whether it is the first of a text.</summary>
internal delegate string DecodeStep(string token, bool isFirst);

/// <summary>
/// Turns tokens back into text (a <c>decoder</c> of <c>tokenizer.json</c>). Every kind that is supported can be said token
/// by token, which is what streaming needs; the few things that depend on the neighbours are named here.
/// </summary>
internal sealed record TokenDecoder
{
    /// <summary>With no decoder, tokens are written with blanks between them.</summary>
    public static readonly TokenDecoder None = new() { Steps = [static (token, isFirst) => isFirst ? token : " " + token] };

    public DecodeStep[] Steps { get; init; } = [];

    /// <summary>Whether the text of a token spells its bytes in the <see cref="ByteAlphabet"/>.</summary>
    public bool IsByteLevel { get; init; }

    /// <summary>Whether <c>&lt;0x41&gt;</c> is a byte.</summary>
    public bool HasByteTokens { get; init; }

    /// <summary>Whether a text loses its leading blank.</summary>
    public bool StripsLeadingSpace { get; init; }

    /// <summary>Whether a blank that ends a token is written only if another follows.</summary>
    public bool HoldsTrailingSpace { get; init; }

    /// <summary>The bytes that a token adds to a text.</summary>
    public byte[] Decode(string token, bool isAdded, bool isFirst)
    {
        if (HasByteTokens && IsByteToken(token, out byte value))
            return [value];
        int original = token.Length;
        foreach (var step in Steps)
        {
            token = step(token, isFirst);
            Growth.Check(token.Length, original, "The decoder");
        }
        return IsByteLevel && !isAdded && ByteAlphabet.TryRead(token, out byte[]? bytes) ? bytes : Encoding.UTF8.GetBytes(token);
    }

    public static bool IsByteToken(string token, out byte value)
    {
        value = 0;
        return token is ['<', '0', 'x', _, _, '>']
            && byte.TryParse(token.AsSpan(3, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out value);
    }

    /// <summary>The blanks of <c>Metaspace</c>; the first token's are the encoder's own.</summary>
    public static DecodeStep Metaspace(char mark, bool dropsFirst) => (token, isFirst) =>
        isFirst && dropsFirst ? token.Replace(mark.ToString(), "", StringComparison.Ordinal) : token.Replace(mark, ' ');

    /// <summary>Blanks before tokens that begin a word; with <paramref name="cleansUp"/>, none before punctuation.</summary>
    public static DecodeStep WordPiece(string continuationPrefix, bool cleansUp) => (token, isFirst) =>
    {
        if (!isFirst)
        {
            token = continuationPrefix.Length > 0 && token.StartsWith(continuationPrefix, StringComparison.Ordinal)
                ? token[continuationPrefix.Length..]
                : " " + token;
        }
        return cleansUp ? CleanUp(token) : token;
    };

    /// <summary>Drops up to so many of a character at the ends of each token.</summary>
    public static DecodeStep Strip(char dropped, int left, int right) => (token, _) =>
    {
        int start = 0;
        int end = token.Length;
        while (start < left && start < end && token[start] == dropped)
            start++;
        while (token.Length - end < right && end > start && token[end - 1] == dropped)
            end--;
        return token[start..end];
    };

    /// <summary>Puts something in the place of every match.</summary>
    public static DecodeStep Replace(Matcher matcher, string replacement)
    {
        var replace = new ReplaceNormalizer(matcher, replacement);
        return (token, _) => replace.Apply(token);
    }

    private static string CleanUp(string text) => text
        .Replace(" .", ".", StringComparison.Ordinal).Replace(" ?", "?", StringComparison.Ordinal)
        .Replace(" !", "!", StringComparison.Ordinal).Replace(" ,", ",", StringComparison.Ordinal)
        .Replace(" ' ", "'", StringComparison.Ordinal).Replace(" n't", "n't", StringComparison.Ordinal)
        .Replace(" 'm", "'m", StringComparison.Ordinal).Replace(" do not", " don't", StringComparison.Ordinal)
        .Replace(" 's", "'s", StringComparison.Ordinal).Replace(" 've", "'ve", StringComparison.Ordinal)
        .Replace(" 're", "'re", StringComparison.Ordinal);
}
