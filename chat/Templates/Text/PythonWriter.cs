using System.Globalization;

namespace Pure.Chat.Templates;

/// <summary>Writes values as Python's <c>str</c> and <c>repr</c> do.</summary>
internal sealed class PythonWriter(BoundedText output, Budget budget)
{
    private readonly List<Value> _open = [];

    internal Budget Budget => budget;

    internal void Raw(string text) => output.Append(text);

    internal void Repr(Value value)
    {
        budget.Step();
        budget.Enter();
        value.WriteRepr(this);
        budget.Leave();
    }

    /// <summary>A list or the like; inside itself it is <paramref name="cycle"/>.</summary>
    internal void Sequence(Value owner, string begin, IEnumerable<Value> items, string end, string cycle)
    {
        if (!Open(owner, cycle))
            return;
        output.Append(begin);
        bool isFirst = true;
        foreach (Value item in items)
        {
            if (!isFirst)
                output.Append(", ");
            isFirst = false;
            Repr(item);
        }

        output.Append(end);
        Close();
    }

    internal void Dictionary(DictionaryValue dictionary)
    {
        if (!Open(dictionary, "{...}"))
            return;
        output.Append('{');
        bool isFirst = true;
        foreach ((Value key, Value value) in dictionary.Pairs)
        {
            if (!isFirst)
                output.Append(", ");
            isFirst = false;
            Repr(key);
            output.Append(": ");
            Repr(value);
        }

        output.Append('}');
        Close();
    }

    /// <summary>A string literal: in single quotes, unless that would need an escape and double ones would not.</summary>
    internal void Quoted(string text)
    {
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        output.Append(quote);
        for (int at = 0; at < text.Length; at++)
        {
            char letter = text[at];
            switch (letter)
            {
                case '\\':
                    output.Append(@"\\");
                    continue;
                case '\n':
                    output.Append(@"\n");
                    continue;
                case '\r':
                    output.Append(@"\r");
                    continue;
                case '\t':
                    output.Append(@"\t");
                    continue;
            }

            if (letter == quote)
            {
                output.Append('\\').Append(letter);
            }
            else if (letter is >= ' ' and <= '~')
            {
                output.Append(letter);
            }
            else
            {
                int width = at + 1 < text.Length && char.IsSurrogatePair(letter, text[at + 1]) ? 2 : 1;
                Other(text.AsSpan(at, width));
                at += width - 1;
            }
        }

        output.Append(quote);
    }

    /// <summary>A character beyond ASCII, escaped where it cannot be seen.</summary>
    private void Other(ReadOnlySpan<char> letters)
    {
        int point = letters.Length == 2 ? char.ConvertToUtf32(letters[0], letters[1]) : letters[0];
        bool isVisible = CharUnicodeInfo.GetUnicodeCategory(point) is not (
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.SpaceSeparator);
        if (isVisible)
            output.Append(letters);
        else if (point < 0x100)
            output.Append($"\\x{point:x2}");
        else if (point < 0x10000)
            output.Append($"\\u{point:x4}");
        else
            output.Append($"\\U{point:x8}");
    }

    private bool Open(Value owner, string cycle)
    {
        budget.Step(_open.Count / 8);
        if (_open.Any(open => ReferenceEquals(open, owner)))
        {
            output.Append(cycle);
            return false;
        }

        _open.Add(owner);
        return true;
    }

    private void Close() => _open.RemoveAt(_open.Count - 1);
}
