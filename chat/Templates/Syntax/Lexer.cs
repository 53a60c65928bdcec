using System.Globalization;
using System.Text;

namespace Pure.Chat.Templates;

/// <summary>
/// Cuts a template into tokens. Blanks around tags go by the rules of jinja2: <c>-</c> strips all blanks on its side, <c>+</c> keeps
/// what the settings would strip; line ends become line feeds.
/// </summary>
internal sealed class Lexer
{
    private const int MostCharacters = 1 << 20;
    private static readonly string[] LongOperators = ["**", "//", "==", "!=", ">=", "<="];

    private readonly string _source;
    private readonly TemplateSyntax _syntax;
    private readonly List<Token> _tokens = [];
    private readonly Stack<char> _brackets = new();
    private int _at;
    private int _line = 1;
    private int _lineCountedTo;
    private bool _atLineBegin = true;

    internal Lexer(string source, TemplateSyntax syntax)
    {
        if (source.Length > MostCharacters)
            throw new SyntaxFault(1, $"the template is {source.Length} characters long, expected at most {MostCharacters}");
        _source = source.Contains('\r') ? source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n') : source;
        if (!syntax.KeepTrailingNewline && _source.EndsWith('\n'))
            _source = _source[..^1];
        _syntax = syntax;
    }

    /// <summary>All tokens; the last one is <see cref="TokenKind.End"/>.</summary>
    internal List<Token> ReadAll()
    {
        while (_at < _source.Length)
            ReadDataAndTag();
        Add(TokenKind.End, "");
        return _tokens;
    }

    private void ReadDataAndTag()
    {
        int begin = FindTag(_at);
        if (begin < 0)
        {
            AddData(_source[_at..]);
            _at = _source.Length;
            return;
        }

        string data = _source[_at..begin];
        char kind = _source[begin + 1];
        int after = begin + 2;
        char sign = after < _source.Length && _source[after] is '-' or '+' ? _source[after++] : ' ';
        AddData(StripEnd(data, sign, isPrint: kind == '{'));
        _at = begin;
        CountLines();
        _at = after;
        _atLineBegin = false;
        switch (kind)
        {
            case '#':
                SkipComment();
                break;
            case '{':
                Add(TokenKind.PrintBegin, "{{");
                ReadTag(TokenKind.PrintEnd, "}}");
                break;
            default:
                if (TrySkipRawBegin())
                {
                    ReadRaw();
                    break;
                }

                Add(TokenKind.BlockBegin, "{%");
                ReadTag(TokenKind.BlockEnd, "%}");
                break;
        }
    }

    private int FindTag(int from)
    {
        for (int at = from; ; at++)
        {
            at = _source.IndexOf('{', at);
            if (at < 0 || at + 1 >= _source.Length)
                return -1;
            if (_source[at + 1] is '{' or '%' or '#')
                return at;
        }
    }

    /// <summary>What is left of the text before a tag.</summary>
    private string StripEnd(string data, char sign, bool isPrint)
    {
        if (sign == '-')
            return PythonText.StripEnd(data);
        if (sign == '+' || isPrint || !_syntax.LstripBlocks)
            return data;
        int lineBegin = data.LastIndexOf('\n') + 1;
        return (lineBegin > 0 || _atLineBegin) && PythonText.IsBlank(data.AsSpan(lineBegin)) ? data[..lineBegin] : data;
    }

    private void SkipComment()
    {
        int end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
            throw Error("a comment has no end '#}'");
        char sign = end > _at ? _source[end - 1] : ' ';
        _at = end + 2;
        AfterTag(sign, trims: true);
    }

    /// <summary>Blanks after the end of a tag.</summary>
    private void AfterTag(char sign, bool trims)
    {
        int end = _at;
        if (sign == '-')
        {
            while (end < _source.Length && PythonText.IsSpace(_source[end]))
                end++;
        }
        else if (trims && sign != '+' && _syntax.TrimBlocks && end < _source.Length && _source[end] == '\n')
        {
            end++;
        }

        _at = end;
        _atLineBegin = _source[end - 1] == '\n';
    }

    private bool TrySkipRawBegin()
    {
        int at = SkipSpace(_at);
        if (!StartsWith(at, "raw"))
            return false;
        at = SkipSpace(at + 3);
        char sign = StartsWith(at, "-%}") ? '-' : ' ';
        at += sign == '-' ? 1 : 0;
        if (!StartsWith(at, "%}"))
            return false;
        _at = at + 2;
        AfterTag(sign, trims: false);
        return true;
    }

    private void ReadRaw()
    {
        for (int begin = _at; ; begin++)
        {
            begin = _source.IndexOf("{%", begin, StringComparison.Ordinal);
            if (begin < 0)
                throw Error("'raw' has no 'endraw'");
            int at = begin + 2;
            char sign = at < _source.Length && _source[at] is '-' or '+' ? _source[at++] : ' ';
            at = SkipSpace(at);
            if (!StartsWith(at, "endraw"))
                continue;
            at = SkipSpace(at + 6);
            char endSign = at < _source.Length && _source[at] is '-' or '+' ? _source[at++] : ' ';
            if (!StartsWith(at, "%}"))
                continue;
            AddData(StripEnd(_source[_at..begin], sign, isPrint: false));
            _at = at + 2;
            AfterTag(endSign, trims: true);
            return;
        }
    }

    /// <summary>Reads the tokens of a tag up to and with its end. Inside brackets, what looks like an end is none.</summary>
    private void ReadTag(TokenKind endKind, string end)
    {
        _brackets.Clear();
        while (true)
        {
            _at = SkipSpace(_at);
            CountLines();
            if (_at >= _source.Length)
                throw Error($"a tag has no end '{end}'");
            char letter = _source[_at];
            if (_brackets.Count == 0)
            {
                char sign = (letter == '-' || (letter == '+' && end == "%}")) && StartsWith(_at + 1, end) ? letter : ' ';
                if (sign != ' ' || StartsWith(_at, end))
                {
                    Add(endKind, end);
                    _at += sign == ' ' ? 2 : 3;
                    AfterTag(sign, trims: end == "%}");
                    return;
                }
            }

            if (char.IsAsciiDigit(letter))
                ReadNumber();
            else if (IsNameLetter(letter))
                ReadName();
            else if (letter is '"' or '\'')
                ReadText(letter);
            else
                ReadOperator();
        }
    }

    private void ReadName()
    {
        int begin = _at;
        while (_at < _source.Length && IsNameLetter(_source[_at]))
            _at++;
        Add(TokenKind.Name, _source[begin.._at]);
    }

    private void ReadNumber()
    {
        int begin = _at;
        if (_source[_at] == '0' && _at + 1 < _source.Length && char.ToLowerInvariant(_source[_at + 1]) is 'x' or 'b' or 'o')
        {
            _at += 2;
            while (_at < _source.Length && (char.IsAsciiHexDigit(_source[_at]) || _source[_at] == '_'))
                _at++;
            Add(TokenKind.Integer, _source[begin.._at]);
            return;
        }

        bool afterDot = begin > 0 && _source[begin - 1] == '.';
        SkipDigits();
        TokenKind kind = TokenKind.Integer;
        if (!afterDot && _at + 1 < _source.Length && _source[_at] == '.' && char.IsAsciiDigit(_source[_at + 1]))
        {
            kind = TokenKind.Float;
            _at++;
            SkipDigits();
        }

        if (!afterDot && _at < _source.Length && _source[_at] is 'e' or 'E')
        {
            int digits = _at + 1;
            if (digits < _source.Length && _source[digits] is '+' or '-')
                digits++;
            if (digits < _source.Length && char.IsAsciiDigit(_source[digits]))
            {
                kind = TokenKind.Float;
                _at = digits;
                SkipDigits();
            }
        }

        Add(kind, _source[begin.._at]);
    }

    private void SkipDigits()
    {
        while (_at < _source.Length
            && (char.IsAsciiDigit(_source[_at]) || (_source[_at] == '_' && _at + 1 < _source.Length && char.IsAsciiDigit(_source[_at + 1]))))
        {
            _at++;
        }
    }

    private void ReadText(char quote)
    {
        var text = new StringBuilder();
        int at = _at + 1;
        while (true)
        {
            if (at >= _source.Length)
                throw Error("a string has no end");
            char letter = _source[at++];
            if (letter == quote)
                break;
            if (letter != '\\')
                text.Append(letter);
            else if (at < _source.Length)
                at = ReadEscape(at, text);
        }

        _at = at;
        Add(TokenKind.Text, text.ToString());
    }

    /// <summary>Reads what follows a backslash, as Python's string literals do; returns where to go on.</summary>
    private int ReadEscape(int at, StringBuilder text)
    {
        char letter = _source[at++];
        switch (letter)
        {
            case '\n':
                return at;
            case '\\' or '\'' or '"':
                text.Append(letter);
                return at;
            case 'a':
                text.Append('\a');
                return at;
            case 'b':
                text.Append('\b');
                return at;
            case 'f':
                text.Append('\f');
                return at;
            case 'n':
                text.Append('\n');
                return at;
            case 'r':
                text.Append('\r');
                return at;
            case 't':
                text.Append('\t');
                return at;
            case 'v':
                text.Append('\v');
                return at;
            case 'x':
                return ReadCodePoint(at, 2, text);
            case 'u':
                return ReadCodePoint(at, 4, text);
            case 'U':
                return ReadCodePoint(at, 8, text);
            case >= '0' and <= '7':
                int value = letter - '0';
                for (int digits = 1; digits < 3 && at < _source.Length && _source[at] is >= '0' and <= '7'; digits++)
                    value = (value * 8) + (_source[at++] - '0');
                text.Append((char)value);
                return at;
            default:
                text.Append('\\').Append(letter);
                return at;
        }
    }

    private int ReadCodePoint(int at, int digits, StringBuilder text)
    {
        if (at + digits > _source.Length
            || !uint.TryParse(_source.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value)
            || value > 0x10FFFF)
        {
            throw Error($"an escape in a string needs {digits} hexadecimal digits of a character");
        }

        text.Append(value < 0x10000 ? ((char)value).ToString() : char.ConvertFromUtf32((int)value));
        return at + digits;
    }

    private void ReadOperator()
    {
        foreach (string text in LongOperators)
        {
            if (StartsWith(_at, text))
            {
                Add(TokenKind.Operator, text);
                _at += 2;
                return;
            }
        }

        char letter = _source[_at];
        switch (letter)
        {
            case '(':
                _brackets.Push(')');
                break;
            case '[':
                _brackets.Push(']');
                break;
            case '{':
                _brackets.Push('}');
                break;
            case ')' or ']' or '}':
                if (_brackets.Count == 0 || _brackets.Peek() != letter)
                    throw Error($"'{letter}' closes no bracket");
                _brackets.Pop();
                break;
            case '+' or '-' or '/' or '*' or '%' or '~' or '>' or '<' or '=' or '.' or ':' or '|' or ',' or ';':
                break;
            default:
                throw Error($"the character '{letter}' (U+{(int)letter:X4}) means nothing here");
        }

        Add(TokenKind.Operator, letter.ToString());
        _at++;
    }

    private static bool IsNameLetter(char letter) => letter == '_' || char.IsLetterOrDigit(letter);

    private int SkipSpace(int at)
    {
        while (at < _source.Length && PythonText.IsSpace(_source[at]))
            at++;
        return at;
    }

    private bool StartsWith(int at, string text) => string.CompareOrdinal(_source, at, text, 0, text.Length) == 0;

    private void AddData(string text)
    {
        if (text.Length > 0)
            Add(TokenKind.Data, text);
    }

    private void Add(TokenKind kind, string text) => _tokens.Add(new Token(kind, text, _line));

    private void CountLines()
    {
        _line += _source.AsSpan(_lineCountedTo, _at - _lineCountedTo).Count('\n');
        _lineCountedTo = _at;
    }

    private SyntaxFault Error(string message)
    {
        CountLines();
        return new SyntaxFault(_line, message);
    }
}
