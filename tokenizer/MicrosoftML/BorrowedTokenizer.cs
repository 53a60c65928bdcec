using Microsoft.ML.Tokenizers;
using MLTokenizer = Microsoft.ML.Tokenizers.Tokenizer;
using SentencePiece = Microsoft.ML.Tokenizers.SentencePieceTokenizer;

namespace Pure.Tokenizers.MicrosoftML;

/// <summary>A tokenizer of Microsoft.ML.Tokenizers, as one of Pure's.</summary>
internal sealed class BorrowedTokenizer : Tokenizer
{
    private readonly MLTokenizer _inner;
    private readonly SpecialTokens _specials;
    private readonly bool _hasOwnControl;
    private readonly bool _addsEnd;

    /// <summary>Some text, for tokens that come after text which is not known.</summary>
    private readonly int[] _before;

    public BorrowedTokenizer(MLTokenizer inner, BorrowedVocabulary vocabulary)
        : base(vocabulary.Vocabulary, vocabulary.Frame)
    {
        _inner = inner;
        _specials = new SpecialTokens(vocabulary.Vocabulary, static _ => false);
        _hasOwnControl = vocabulary.HasOwnControl;
        _addsEnd = inner is BpeTokenizer bytePair && BorrowedVocabulary.AddedEnd(bytePair) is not null;
        var before = new List<int>();
        AppendPlain("a", isStart: true, before);
        _before = [.. before];
    }

    internal override TokenWriter OpenWriter(bool continuesText) => new WindowWriter(this, _inner, _before, continuesText);

    private protected override void EncodeText(ReadOnlySpan<char> text, bool parseSpecial, List<int> destination)
    {
        if (parseSpecial && !_hasOwnControl)
        {
            AppendPlain(text, isStart: true, destination);
            return;
        }

        int start = 0;
        foreach (Fragment fragment in _specials.Cut(text, parseSpecial: true))
        {
            if (fragment.Token < 0)
            {
                if (parseSpecial)
                    AppendPlain(text.Slice(fragment.Start, fragment.Length), fragment.Start == 0, destination);
            }
            else if (parseSpecial)
            {
                destination.Add(fragment.Token);
            }
            else
            {
                // The library would see the name; in two parts it is text like any other.
                int middle = fragment.Start + (char.IsHighSurrogate(text[fragment.Start]) ? 2 : 1);
                AppendHarmless(text[start..middle], start == 0, destination);
                start = middle;
            }
        }
        if (!parseSpecial)
            AppendHarmless(text[start..], start == 0, destination);
    }

    /// <summary>Encodes text of which no part is to become a control token, though cutting one name may have bared another.</summary>
    private void AppendHarmless(ReadOnlySpan<char> text, bool isStart, List<int> destination)
    {
        int before = destination.Count;
        AppendPlain(text, isStart, destination);
        if (!destination.Skip(before).Any(id => Kind(id) == TokenKind.Control))
            return;
        destination.RemoveRange(before, destination.Count - before);
        for (int at = 0; at < text.Length;)
        {
            int length = char.IsHighSurrogate(text[at]) ? 2 : 1;
            AppendPlain(text.Slice(at, length), isStart && at == 0, destination);
            at += length;
        }
    }

    /// <summary>Encodes text as the library does, without what it would put before or after.</summary>
    /// <param name="text">The text.</param>
    /// <param name="isStart">Whether it is the start of the whole text: only there SentencePiece puts its blank.</param>
    /// <param name="destination">Where the ids go.</param>
    private void AppendPlain(ReadOnlySpan<char> text, bool isStart, List<int> destination)
    {
        if (text.IsEmpty)
            return;
        switch (_inner)
        {
            case SentencePiece { AddDummyPrefix: true, EscapeWhiteSpaces: true } sentencePiece when !isStart:
                string escaped = text.ToString().Replace(' ', '\u2581');
                destination.AddRange(sentencePiece.EncodeToIds(
                    escaped, addBeginningOfSentence: false, addEndOfSentence: false, considerNormalization: false));
                break;
            case SentencePiece sentencePiece:
                destination.AddRange(sentencePiece.EncodeToIds(text, addBeginningOfSentence: false, addEndOfSentence: false));
                break;
            case CodeGenTokenizer codeGen:
                destination.AddRange(codeGen.EncodeToIds(
                    text, codeGen.AddPrefixSpace && isStart, addBeginningOfSentence: false, addEndOfSentence: false));
                break;
            case BpeTokenizer bytePair:
                IReadOnlyList<int> ids = bytePair.EncodeToIds(text);
                int first = bytePair.BeginningOfSentenceToken is not null && ids.Count > 0 && ids[0] == Bos ? 1 : 0;
                int end = ids.Count - (_addsEnd && ids.Count > first && ids[^1] == Eos ? 1 : 0);
                destination.AddRange(ids.Take(first..end));
                break;
            default:
                destination.AddRange(_inner.EncodeToIds(text));
                break;
        }
    }
}
