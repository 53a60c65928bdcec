using System.Text;

namespace Pure.Chat.Templates;

/// <summary>A text that grows, within the budget.</summary>
internal sealed class BoundedText(Budget budget)
{
    private readonly StringBuilder _text = new();

    internal int Length => _text.Length;

    internal BoundedText Append(string text)
    {
        Grow(text.Length);
        _text.Append(text);
        return this;
    }

    internal BoundedText Append(char letter)
    {
        Grow(1);
        _text.Append(letter);
        return this;
    }

    internal BoundedText Append(char letter, long count)
    {
        Grow(count);
        _text.Append(letter, (int)count);
        return this;
    }

    internal BoundedText Append(ReadOnlySpan<char> text)
    {
        Grow(text.Length);
        _text.Append(text);
        return this;
    }

    public override string ToString() => _text.ToString();

    private void Grow(long count)
    {
        budget.CheckLength(_text.Length + count);
        budget.Characters(count);
    }
}
