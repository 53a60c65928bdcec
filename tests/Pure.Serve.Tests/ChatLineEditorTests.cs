using System.Globalization;
using System.Text;
using Pure.Serve.Commands;

namespace Pure.Serve.Tests;

/// <summary>Keys in, lines out, and what a terminal shows meanwhile.</summary>
public class ChatLineEditorTests
{
    private const string Prompt = "> ";

    [Theory]
    [InlineData("abc⏎", "abc")]
    [InlineData("ac←b⏎", "abc")]
    [InlineData("abX⌫c⏎", "abc")]
    [InlineData("Xabc⇤⌦⏎", "abc")]
    [InlineData("bc⇤a⇥d⏎", "abcd")]
    [InlineData("one two  ^W^Wone⏎", "one")]
    [InlineData("abc←^K⏎", "ab")]
    [InlineData("abc←^U⏎", "c")]
    [InlineData("bc^Aa^Ed⏎", "abcd")]
    [InlineData("é🙂字←←⌫⏎", "🙂字")]
    [InlineData("a🙂⌫b⏎", "ab")]
    [InlineData("ae\u0301⌫⏎", "a")]
    [InlineData("👩‍👩‍👧←x⏎", "x👩‍👩‍👧")]
    [InlineData("←⌫⌦→⏎", "")]
    [InlineData("a^Db⏎", "ab")]
    [InlineData("ab←^D⏎", "a")]
    public void A_line_is_what_its_keys_make_of_it(string keys, string expected) => Assert.Equal(expected, new Terminal(keys).Read());

    [Fact]
    public void Earlier_lines_come_back()
    {
        var terminal = new Terminal("one⏎two⏎two⏎⏎↑⏎↑↑⏎new↑↑↑↑↓↓↓↓↓!⏎");
        Assert.Equal(["one", "two", "two", "", "two", "one", "new!"], Enumerable.Range(0, 7).Select(_ => terminal.Read()!));
    }

    [Fact]
    public void Ctrl_D_on_an_empty_line_ends_the_input() => Assert.Null(new Terminal("ab⌫⌫^D").Read());

    [Fact]
    public void An_abandoned_line_is_gone()
    {
        var terminal = new Terminal("ab☠cd⏎☠ef⏎");
        Assert.Equal("cd", terminal.Read());
        Assert.True(terminal.Editor.WasAbandoned);
        Assert.Equal("ef", terminal.Read());
        Assert.Equal(["> ab^C", "> cd", "> ^C", "hint", "> ef", ""], terminal.Rows);
    }

    [Fact]
    public void The_terminal_shows_the_line_and_the_cursor_in_its_place()
    {
        string[] choice = ["a", "b", "c", "字", "🙂", "é", " ", "←", "→", "⌫", "⌦", "⇤", "⇥", "↑", "↓", "^W", "^U"];
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            int width = random.Next(8, 30);
            string keys = "a long line of letters⏎" + string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => choice[random.Next(choice.Length)]));
            string line = new Terminal(keys + "⏎", width).ReadSecond()!;
            string marked = new Terminal(keys + "|⏎", width).ReadSecond()!;

            var terminal = new Terminal(keys, width);
            terminal.Read();
            int first = terminal.Row;
            Assert.Throws<InvalidOperationException>(terminal.Read);
            var expected = new Terminal("", width);
            expected.Write(Prompt + line);
            Assert.Equal(string.Join('\n', expected.Rows).TrimEnd(), string.Join('\n', terminal.Rows.Skip(first)).TrimEnd());

            terminal.Write("|");
            var toMark = new Terminal("", width);
            toMark.Write(Prompt + marked[..(marked.IndexOf('|') + 1)]);
            Assert.Equal((toMark.Row, toMark.Column), (terminal.Row - first, terminal.Column));
        }
    }

    [Fact]
    public void A_long_paste_is_written_once()
    {
        string text = new('x', 20_000);
        var terminal = new Terminal(text + "⏎", 80);
        Assert.Equal(text, terminal.Read());
        Assert.InRange(terminal.Written, text.Length, 3 * text.Length);
    }

    /// <summary>Gives keys, and does what a terminal does with the sequences that the editor writes.</summary>
    private sealed class Terminal : StringWriter
    {
        private readonly IEnumerator<ConsoleKeyInfo> _keys;
        private readonly List<string[]> _cells = [[]];
        private readonly int _width;

        public Terminal(string keys, int width = 80)
            : base(CultureInfo.InvariantCulture)
        {
            _width = width;
            _keys = Read(keys).GetEnumerator();
            Editor = new ChatLineEditor(this, () => _keys.MoveNext() ? _keys.Current : throw new InvalidOperationException("No more keys."), () => width);
        }

        public ChatLineEditor Editor { get; }

        public int Row { get; private set; }

        public int Column { get; private set; }

        public int Written { get; private set; }

        public IEnumerable<string> Rows => _cells.Select(row => string.Concat(row));

        public string? Read() => Editor.Read(Prompt);

        public string? ReadSecond()
        {
            Read();
            return Read();
        }

        public override void Write(char value) => Write(value.ToString());

        public override void Write(string? value)
        {
            string text = value ?? "";
            Written += text.Length;
            for (int at = 0; at < text.Length;)
            {
                if (text[at] == '\e')
                {
                    int end = at + 2;
                    while (!char.IsAsciiLetter(text[end]))
                        end++;
                    Obey(text[end], int.TryParse(text.AsSpan(at + 2, end - at - 2), CultureInfo.InvariantCulture, out int count) ? count : 1);
                    at = end + 1;
                    continue;
                }
                Rune.DecodeFromUtf16(text.AsSpan(at), out Rune rune, out int units);
                Put(rune);
                at += units;
            }
        }

        private void Obey(char command, int count)
        {
            switch (command)
            {
                case 'A':
                    Row -= count;
                    Column = Math.Min(Column, _width - 1);
                    Assert.True(Row >= 0);
                    break;
                case 'C':
                    Column += count;
                    Assert.True(Column < _width);
                    break;
                case 'J':
                    _cells.RemoveRange(Row + 1, _cells.Count - Row - 1);
                    _cells[Row] = [.. _cells[Row].Take(Column)];
                    break;
                default:
                    Assert.Fail($"The terminal knows no {command}.");
                    break;
            }
        }

        private void Put(Rune rune)
        {
            if (rune.Value == '\r')
            {
                Column = 0;
                return;
            }
            int cells = rune.Value is 0x5B57 or 0x1F642 ? 2 : 1;
            if (rune.Value == '\n' || Column + cells > _width)
            {
                Row++;
                Column = 0;
                if (Row == _cells.Count)
                    _cells.Add([]);
            }
            if (rune.Value == '\n')
                return;
            string[] row = [.. _cells[Row], .. Enumerable.Repeat(" ", Math.Max(0, Column + cells - _cells[Row].Length))];
            row[Column] = rune.ToString();
            if (cells == 2)
                row[Column + 1] = "";
            _cells[Row] = row;
            Column += cells;
        }

        private IEnumerable<ConsoleKeyInfo> Read(string keys)
        {
            for (int i = 0; i < keys.Length; i++)
            {
                switch (keys[i])
                {
                    case '☠':
                        Editor.Abandon(Prompt, "hint");
                        break;
                    case '^' when i + 1 < keys.Length && char.IsAsciiLetterUpper(keys[i + 1]):
                        char letter = keys[++i];
                        yield return new ConsoleKeyInfo((char)(letter - '@'), ConsoleKey.A + (letter - 'A'), false, false, control: true);
                        break;
                    default:
                        ConsoleKey key = keys[i] switch
                        {
                            '⏎' => ConsoleKey.Enter,
                            '←' => ConsoleKey.LeftArrow,
                            '→' => ConsoleKey.RightArrow,
                            '↑' => ConsoleKey.UpArrow,
                            '↓' => ConsoleKey.DownArrow,
                            '⇤' => ConsoleKey.Home,
                            '⇥' => ConsoleKey.End,
                            '⌫' => ConsoleKey.Backspace,
                            '⌦' => ConsoleKey.Delete,
                            _ => ConsoleKey.None,
                        };
                        yield return new ConsoleKeyInfo(key == ConsoleKey.None ? keys[i] : '\0', key, false, false, false);
                        break;
                }
            }
        }
    }
}
