using System.Globalization;
using System.Text;

namespace Pure.Serve.Commands;

/// <summary>
/// A line as a person types it at a terminal: the arrows, Home and End move in it, the arrows up and down bring earlier lines
/// back, and the keys of a shell (Ctrl-A, E, U, K, W, L, D) do what they do there. It draws with the few escape sequences
/// that every terminal knows.
/// </summary>
/// <param name="output">The terminal.</param>
/// <param name="readKey">Waits for a key.</param>
/// <param name="columns">The terminal's width now.</param>
internal sealed class ChatLineEditor(TextWriter output, Func<ConsoleKeyInfo> readKey, Func<int> columns)
{
    private readonly Lock _lock = new();
    private readonly List<string> _history = [];
    private readonly StringBuilder _text = new();
    private string _prompt = "";
    private int _cursor; // an index into the text, never within a character
    private (int Row, int Column) _at; // where the cursor is drawn, counted from the beginning of the prompt
    private int _recalled; // which line of the history is shown; one past the last for the new one
    private string _draft = ""; // the new line, while an earlier one is shown
    private char _half; // the first half of a character that comes in two keys

    private enum Outcome
    {
        Open,
        Entered,
        Ended,
    }

    /// <summary>Whether the line before this one was given up, since this was asked last.</summary>
    internal bool WasAbandoned { get; set; }

    /// <summary>Reads a line; null where the user ends the input with Ctrl-D.</summary>
    internal string? Read(string prompt)
    {
        lock (_lock)
            Begin(prompt);
        while (true)
        {
            ConsoleKeyInfo key = readKey();
            lock (_lock)
            {
                Outcome outcome = Press(key);
                if (outcome == Outcome.Open)
                    continue;
                _cursor = _text.Length;
                Draw();
                if (outcome == Outcome.Ended)
                    return null;
                output.Write('\n');
                string line = _text.ToString();
                if (line.Length > 0 && (_history.Count == 0 || _history[^1] != line))
                    _history.Add(line);
                return line;
            }
        }
    }

    /// <summary>Gives the line up that is being typed and begins a new one; for another thread than the one that reads.</summary>
    /// <param name="prompt">Of the new line.</param>
    /// <param name="hint">What to say where there is nothing to give up.</param>
    internal void Abandon(string prompt, string hint)
    {
        lock (_lock)
        {
            bool isEmpty = _text.Length == 0 && _prompt == prompt;
            _cursor = _text.Length;
            Draw();
            output.Write(isEmpty ? $"^C\n{hint}\n" : "^C\n");
            WasAbandoned = true;
            Begin(prompt);
        }
    }

    private void Begin(string prompt)
    {
        _prompt = prompt;
        _text.Clear();
        _cursor = 0;
        _at = (0, 0);
        _recalled = _history.Count;
        _half = '\0';
        Draw();
    }

    private Outcome Press(ConsoleKeyInfo key)
    {
        switch (key.Key, key.KeyChar)
        {
            case (ConsoleKey.Enter, _) or (_, '\r' or '\n'):
                return Outcome.Entered;
            case (_, '\x04') when _text.Length == 0:
                return Outcome.Ended;
            case (ConsoleKey.Backspace, _) or (_, '\b' or '\x7F'):
                Remove(Before(_cursor), _cursor);
                break;
            case (ConsoleKey.Delete, _) or (_, '\x04'):
                Remove(_cursor, After(_cursor));
                break;
            case (ConsoleKey.LeftArrow, _) or (_, '\x02'):
                _cursor = Before(_cursor);
                break;
            case (ConsoleKey.RightArrow, _) or (_, '\x06'):
                _cursor = After(_cursor);
                break;
            case (ConsoleKey.Home, _) or (_, '\x01'):
                _cursor = 0;
                break;
            case (ConsoleKey.End, _) or (_, '\x05'):
                _cursor = _text.Length;
                break;
            case (ConsoleKey.UpArrow, _) or (_, '\x10'):
                Recall(_recalled - 1);
                break;
            case (ConsoleKey.DownArrow, _) or (_, '\x0E'):
                Recall(_recalled + 1);
                break;
            case (_, '\x15'):
                Remove(0, _cursor);
                break;
            case (_, '\x0B'):
                Remove(_cursor, _text.Length);
                break;
            case (_, '\x17'):
                Remove(WordStart(_cursor), _cursor);
                break;
            case (_, '\x0C'):
                output.Write("\e[H\e[2J");
                _at = (0, 0);
                break;
            case (_, '\t'):
                Insert(" ");
                return Outcome.Open;
            case (_, >= ' ' and var letter) when !char.IsControl(letter):
                Type(letter);
                return Outcome.Open;
            default:
                return Outcome.Open;
        }

        Draw();
        return Outcome.Open;
    }

    private void Type(char letter)
    {
        if (char.IsHighSurrogate(letter))
        {
            _half = letter;
            return;
        }

        string character = char.IsLowSurrogate(letter) ? $"{_half}{letter}" : letter.ToString();
        _half = '\0';
        if (Rune.TryGetRuneAt(character, 0, out _))
            Insert(character);
    }

    private void Insert(string character)
    {
        _text.Insert(_cursor, character);
        _cursor += character.Length;
        if (_cursor < _text.Length)
        {
            Draw();
            return;
        }

        // A text that is pasted comes key by key: drawing all of it at each would take the square of its length.
        int width = Width;
        var before = _at;
        _at = Advance(_at, character, width);
        output.Write(_at.Row > before.Row && _at.Column == 0 ? character + "\r\n" : character);
    }

    private void Remove(int start, int end)
    {
        _text.Remove(start, end - start);
        _cursor = start;
    }

    private void Recall(int line)
    {
        if (line < 0 || line > _history.Count)
            return;
        if (_recalled == _history.Count)
            _draft = _text.ToString();
        _recalled = line;
        _text.Clear().Append(line == _history.Count ? _draft : _history[line]);
        _cursor = _text.Length;
    }

    /// <summary>The beginning of the character before an index: of all that a reader takes for one, with its marks.</summary>
    private int Before(int index)
    {
        string text = _text.ToString(0, index);
        int start = 0;
        for (int next = 0; next < index; next += StringInfo.GetNextTextElementLength(text, next))
            start = next;
        return start;
    }

    private int After(int index) => index + StringInfo.GetNextTextElementLength(_text.ToString(), index);

    private int WordStart(int index)
    {
        while (index > 0 && _text[index - 1] == ' ')
            index--;
        while (index > 0 && _text[index - 1] != ' ')
            index--;
        return index;
    }

    private int Width => Math.Max(columns(), 8);

    /// <summary>Draws prompt and text anew, and puts the cursor in its place.</summary>
    private void Draw()
    {
        int width = Width;
        string text = _text.ToString();
        var cursor = Advance(Advance((0, 0), _prompt, width), text.AsSpan(0, _cursor), width);
        var end = Advance(cursor, text.AsSpan(_cursor), width);

        var frame = new StringBuilder();
        if (_at.Row > 0)
            frame.Append(CultureInfo.InvariantCulture, $"\e[{_at.Row}A");
        frame.Append("\r\e[J").Append(_prompt).Append(text);
        // A terminal goes to the next row with the next character only.
        if (end is { Row: > 0, Column: 0 })
            frame.Append("\r\n");
        if (end.Row > cursor.Row)
            frame.Append(CultureInfo.InvariantCulture, $"\e[{end.Row - cursor.Row}A");
        frame.Append('\r');
        if (cursor.Column > 0)
            frame.Append(CultureInfo.InvariantCulture, $"\e[{cursor.Column}C");
        output.Write(frame.ToString());
        _at = cursor;
    }

    /// <summary>Where a terminal of some width is after a text.</summary>
    private static (int Row, int Column) Advance((int Row, int Column) at, ReadOnlySpan<char> text, int width)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            int cells = Cells(rune);
            if (at.Column + cells > width)
                at = (at.Row + 1, 0);
            at.Column += cells;
            if (at.Column == width)
                at = (at.Row + 1, 0);
        }

        return at;
    }

    /// <summary>How many columns a character takes: none for marks, two for those of East Asia and for pictures.</summary>
    private static int Cells(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.Format
        ? 0
        : rune.Value is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0x303E) or (>= 0x3041 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3)
            or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF01 and <= 0xFF60) or (>= 0xFFE0 and <= 0xFFE6)
            or (>= 0x1F300 and <= 0x1F64F) or (>= 0x1F680 and <= 0x1F6FF) or (>= 0x1F900 and <= 0x1F9FF) or (>= 0x20000 and <= 0x3FFFD)
            ? 2
            : 1;
}
