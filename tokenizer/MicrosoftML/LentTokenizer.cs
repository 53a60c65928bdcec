using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;
using MLTokenizer = Microsoft.ML.Tokenizers.Tokenizer;

namespace Pure.Tokenizers.MicrosoftML;

/// <summary>One of Pure's tokenizers, as one of Microsoft.ML.Tokenizers.</summary>
internal sealed class LentTokenizer(Tokenizer tokenizer, bool withSpecial) : MLTokenizer
{
    public override string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        int[] tokens = [.. ids];
        foreach (int id in tokens)
        {
            if (!IsToken(id))
                throw new InvalidOperationException($"Token {id} cannot be decoded; ids go from 0 to {tokenizer.VocabularySize - 1}.");
        }
        return tokenizer.Decode(tokens, withSpecial);
    }

    public override OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten)
    {
        ArgumentNullException.ThrowIfNull(ids);
        (idsConsumed, charsWritten) = (0, 0);
        var state = new RenderState(tokenizer, continuesText: false);
        Decoder decoder = Encoding.UTF8.GetDecoder();
        int written = 0;
        int read = 0;
        foreach (int id in ids)
        {
            if (!IsToken(id))
                return OperationStatus.InvalidData;
            ReadOnlySpan<byte> bytes = tokenizer.Render(id, withSpecial, ref state);
            if (decoder.GetCharCount(bytes, flush: false) > destination.Length - written)
                return OperationStatus.DestinationTooSmall;
            written += decoder.GetChars(bytes, destination[written..], flush: false);
            read++;
            if (!decoder.HasRest())
                (idsConsumed, charsWritten) = (read, written);
        }

        ReadOnlySpan<byte> rest = state.Flush();
        if (decoder.GetCharCount(rest, flush: false) > destination.Length - written)
            return OperationStatus.DestinationTooSmall;
        written += decoder.GetChars(rest, destination[written..], flush: false);
        if (decoder.HasRest())
            return OperationStatus.NeedMoreData;
        (idsConsumed, charsWritten) = (read, written);
        return OperationStatus.Done;
    }

    protected override EncodeResults<EncodedToken> EncodeToTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        var encoded = new Alignment(tokenizer, text is null ? textSpan : text, withSpecial);
        int count = encoded.WholeTokens(settings.MaxTokenCount);
        var tokens = new EncodedToken[count];
        for (int i = 0; i < count; i++)
            tokens[i] = new EncodedToken(encoded.Ids[i], tokenizer.TokenText(encoded.Ids[i]), encoded.Start(i)..encoded.Ends[i]);
        return new EncodeResults<EncodedToken>
        {
            Tokens = tokens,
            NormalizedText = encoded.NormalizedText,
            CharsConsumed = encoded.Start(count),
        };
    }

    protected override int GetIndexByTokenCount(
        string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings, bool fromEnd, out string? normalizedText, out int tokenCount)
    {
        var encoded = new Alignment(tokenizer, text is null ? textSpan : text, withSpecial);
        normalizedText = encoded.NormalizedText;
        int first = fromEnd ? encoded.FirstOfLast(settings.MaxTokenCount) : encoded.WholeTokens(settings.MaxTokenCount);
        tokenCount = fromEnd ? encoded.Ids.Length - first : first;
        return encoded.Start(first);
    }

    private bool IsToken(int id) => (uint)id < (uint)tokenizer.VocabularySize;
}
