using System.Text;
using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers.Pipeline;

/// <summary>A step that cuts a text into words, across which no model joins anything (a <c>pre_tokenizer</c> of
/// <c>tokenizer.json</c>).</summary>
internal abstract class Splitter
{
    public abstract void Split(Words words);
}

/// <summary>Cuts at what a matcher finds: <c>Split</c>, <c>Digits</c>, <c>Punctuation</c>, <c>WhitespaceSplit</c>,
/// <c>CharDelimiterSplit</c>, <c>Whitespace</c>.</summary>
internal sealed class CuttingSplitter(Matcher matcher, Behaviour behaviour, bool invert = false) : Splitter
{
    public override void Split(Words words) => words.Cut(matcher, behaviour, invert);
}

/// <summary>Spells words in the <see cref="ByteAlphabet"/>, perhaps after cutting them as GPT-2 does.</summary>
internal sealed class ByteLevelSplitter(bool addsPrefixSpace, bool cutsWords) : Splitter
{
    private static readonly PatternMatcher Gpt2 = new(Patterns.Gpt2Word);

    public override void Split(Words words)
    {
        if (addsPrefixSpace)
        {
            words.Rewrite(static (word, _, text) =>
            {
                if (word[0] != ' ')
                    text.Append(' ');
                text.Append(word);
            });
        }
        if (cutsWords)
            words.Cut(Gpt2, Behaviour.Isolated);
        words.Rewrite(static (word, _, text) => ByteAlphabet.Spell(word, text));
    }
}

/// <summary>When a mark is put before a word that has none.</summary>
internal enum Prepend
{
    Never,

    /// <summary>Before the word with which the whole input begins.</summary>
    First,
    Always,
}

/// <summary>Writes blanks as a visible mark, and begins a word at each.</summary>
internal sealed class MetaspaceSplitter(char mark, Prepend prepend, bool cutsWords) : Splitter
{
    private readonly TextMatcher _mark = new(mark.ToString());

    public override void Split(Words words)
    {
        words.Rewrite((word, isAtStart, text) =>
        {
            int start = text.Length;
            bool mayPrepend = prepend == Prepend.Always || prepend == Prepend.First && isAtStart;
            if (mayPrepend && word[0] != ' ' && word[0] != mark)
                text.Append(mark);
            start = text.Length;
            text.Append(word).Replace(' ', mark, start, word.Length);
        });
        if (cutsWords)
            words.Cut(_mark, Behaviour.MergedWithNext);
    }
}

/// <summary>Cuts at blanks, which are dropped, and around punctuation, as BERT does.</summary>
internal sealed class BertSplitter : Splitter
{
    public static readonly BertSplitter Instance = new();

    private static readonly CharacterMatcher Space = new((_, kind) => kind == CharacterClass.Space, takesRuns: true);
    private static readonly CharacterMatcher Signs = new(IsPunctuation);

    /// <summary>Unicode's punctuation, and all signs of ASCII.</summary>
    public static bool IsPunctuation(int codePoint, CharacterClass kind) =>
        kind == CharacterClass.Punctuation || codePoint < 0x80 && kind == CharacterClass.Symbol;

    public override void Split(Words words)
    {
        words.Cut(Space, Behaviour.Removed);
        words.Cut(Signs, Behaviour.Isolated);
    }
}

/// <summary>One step after the other.</summary>
internal sealed class SplitterSequence(Splitter[] steps) : Splitter
{
    public override void Split(Words words)
    {
        foreach (var step in steps)
            step.Split(words);
    }
}
