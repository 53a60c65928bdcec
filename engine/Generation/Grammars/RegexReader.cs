using System.Text;

namespace Pure.Engine.Generation.Grammars;

/// <summary>Reads the regular part of ECMAScript's regular expressions.</summary>
/// <remarks>
/// ECMA-262, section 22.2.1, as with the flag <c>u</c> but that signs may be escaped freely. Lazy quantifiers are the same as greedy ones: which of
/// several ways leads to a text does not matter here. <c>^</c> and <c>$</c> may stand at the ends of the whole expression's alternatives.
/// </remarks>
internal sealed class RegexReader
{
    private const int MostNesting = 64;
    private static readonly CodePoints Digits = CodePoints.Of(('0', '9'));
    private static readonly CodePoints Word = CodePoints.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));
    private static readonly CodePoints LineEnds = CodePoints.AnyOf("\n\r\u2028\u2029");
    private static readonly CodePoints Space =
        CodePoints.Of(('\t', '\r'), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF));

    private readonly GrammarText _text;
    private readonly Func<CodePoints, Expression> _write;
    private readonly Expression? _around;
    private int _nesting;

    private RegexReader(string pattern, Func<CodePoints, Expression> write, bool searches)
    {
        _text = new GrammarText(pattern, "The regular expression");
        _write = write;
        _around = searches ? Expression.Star(write(CodePoints.All)) : null;
    }

    /// <summary>The texts that a pattern matches.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="write">How one character of a set is written.</param>
    /// <param name="searches">Whether the pattern may match a part of the text where no anchor says otherwise.</param>
    /// <exception cref="InvalidRequestException">The pattern cannot be read, or uses what is not supported.</exception>
    internal static Expression Read(string pattern, Func<CodePoints, Expression> write, bool searches = false)
    {
        var reader = new RegexReader(pattern, write, searches);
        Expression expression = reader.ReadAlternatives();
        return reader._text.IsAtEnd ? expression : throw reader._text.Error("a parenthesis closes that was not opened");
    }

    private Expression ReadAlternatives()
    {
        if (_nesting > MostNesting)
            throw _text.Error($"groups stand more than {MostNesting} deep");
        var options = new List<Expression> { ReadSequence() };
        while (_text.Take("|"))
            options.Add(ReadSequence());
        return Expression.Any(options);
    }

    private Expression ReadSequence()
    {
        bool isOutermost = _nesting == 0;
        var parts = new List<Expression>();
        if (!(isOutermost && _text.Take("^")) && isOutermost && _around is not null)
            parts.Add(_around);
        while (!_text.IsAtEnd && _text.Next is not ('|' or ')'))
        {
            if (_text.Take("$"))
            {
                if (isOutermost && (_text.IsAtEnd || _text.Comes("|")))
                    return Expression.Sequence(parts);
                throw _text.ErrorAt(_text.Position - 1, "'$' is supported only at the end of the expression or of one of its alternatives");
            }

            parts.Add(ReadCounted(ReadElement()));
        }

        if (isOutermost && _around is not null)
            parts.Add(_around);
        return Expression.Sequence(parts);
    }

    private Expression ReadCounted(Expression element)
    {
        (int Least, int? Most) counts;
        if (_text.Take("*"))
            counts = (0, null);
        else if (_text.Take("+"))
            counts = (1, null);
        else if (_text.Take("?"))
            counts = (0, 1);
        else if (_text.Take("{"))
            counts = _text.ReadCounts();
        else
            return element;
        _text.Take("?");
        if (_text.Next is '*' or '+' or '?' or '{')
            throw _text.Error("a quantifier stands after another one; put the first part in a group");
        return Expression.Repeat(element, counts.Least, counts.Most);
    }

    private Expression ReadElement()
    {
        int start = _text.Position;
        switch (_text.ReadCharacter())
        {
            case '(':
                return ReadGroup(start);
            case '[':
                return _write(ReadClass());
            case '.':
                return _write(LineEnds.Complement());
            case '\\':
                return _write(ReadEscape(start, inClass: false));
            case '^':
                throw _text.ErrorAt(start, "'^' is supported only at the beginning of the expression or of one of its alternatives");
            case '*' or '+' or '?' or '{':
                throw _text.ErrorAt(start, "a quantifier stands after nothing");
            case int character:
                return _write(CodePoints.One(character));
        }
    }

    private Expression ReadGroup(int start)
    {
        if (_text.Take("?"))
        {
            if (_text.Comes("=") || _text.Comes("!"))
                throw _text.ErrorAt(start, "looking ahead, (?= and (?!, is not supported");
            if (_text.Comes("<=") || _text.Comes("<!"))
                throw _text.ErrorAt(start, "looking behind, (?<= and (?<!, is not supported");
            if (_text.Take("<"))
            {
                if (_text.ReadWhile(unit => char.IsLetterOrDigit(unit) || unit is '_' or '$').Length == 0)
                    throw _text.Error("the name of a group is expected");
                _text.Require(">");
            }
            else if (!_text.Take(":"))
            {
                throw _text.ErrorAt(start, "there is no such group; (…), (?:…) and (?<name>…) are supported");
            }
        }

        _nesting++;
        Expression group = ReadAlternatives();
        if (!_text.Take(")"))
            throw _text.ErrorAt(start, "the group is not closed");
        _nesting--;
        return group;
    }

    private CodePoints ReadClass()
    {
        int opened = _text.Position - 1;
        bool isComplement = _text.Take("^");
        var ranges = new List<(int First, int Last)>();
        while (!_text.Take("]"))
        {
            if (_text.IsAtEnd)
                throw _text.ErrorAt(opened, "the class is not closed");
            int start = _text.Position;
            CodePoints first = ReadClassMember();
            if (_text.Comes("-") && !_text.Comes("-]"))
            {
                _text.Require("-");
                CodePoints last = ReadClassMember();
                if (!IsOne(first) || !IsOne(last) || first.Ranges[0].First > last.Ranges[0].First)
                    throw _text.ErrorAt(start, "that is no range of characters");
                first = CodePoints.Of((first.Ranges[0].First, last.Ranges[0].First));
            }

            ranges.AddRange(first.Ranges);
        }

        CodePoints set = CodePoints.Of(ranges);
        return isComplement ? set.Complement() : set;
    }

    private static bool IsOne(CodePoints set) => set.Ranges.Length == 1 && set.Ranges[0].First == set.Ranges[0].Last;

    private CodePoints ReadClassMember()
    {
        int start = _text.Position;
        int character = _text.ReadCharacter();
        return character == '\\' ? ReadEscape(start, inClass: true) : CodePoints.One(character);
    }

    private CodePoints ReadEscape(int start, bool inClass)
    {
        int escape = _text.ReadCharacter();
        switch (escape)
        {
            case 'd':
                return Digits;
            case 'D':
                return Digits.Complement();
            case 'w':
                return Word;
            case 'W':
                return Word.Complement();
            case 's':
                return Space;
            case 'S':
                return Space.Complement();
            case 't':
                return CodePoints.One('\t');
            case 'n':
                return CodePoints.One('\n');
            case 'r':
                return CodePoints.One('\r');
            case 'f':
                return CodePoints.One('\f');
            case 'v':
                return CodePoints.One('\v');
            case 'b' when inClass:
                return CodePoints.One('\b');
            case '0' when !char.IsAsciiDigit(_text.Next):
                return CodePoints.One(0);
            case 'x':
                return CodePoints.One(_text.ReadHex(2));
            case 'u':
                return CodePoints.One(ReadUnicode(start));
            case 'c' when char.IsAsciiLetter(_text.Next):
                return CodePoints.One(_text.ReadCharacter() & 31);
            case 'b' or 'B':
                throw _text.ErrorAt(start, "word boundaries, \\b and \\B, are not supported");
            case >= '0' and <= '9':
                throw _text.ErrorAt(start, $"references to groups, such as \\{(char)escape}, are not supported");
            case 'k':
                throw _text.ErrorAt(start, "references to groups, \\k, are not supported");
            case 'p' or 'P':
                throw _text.ErrorAt(start, "properties of characters, \\p and \\P, are not supported; write a class");
            case int other when other < 0x80 && char.IsAsciiLetter((char)other):
                throw _text.ErrorAt(start, $"there is no escape \\{(char)other}");
            default:
                return CodePoints.One(escape);
        }
    }

    private int ReadUnicode(int start)
    {
        int character;
        if (_text.Take("{"))
        {
            string digits = _text.ReadWhile(char.IsAsciiHexDigit);
            _text.Require("}");
            character = digits.Length is > 0 and <= 6 ? Convert.ToInt32(digits, 16) : -1;
        }
        else
        {
            character = _text.ReadHex(4);
            if (char.IsHighSurrogate((char)character) && _text.Take("\\u"))
            {
                int low = _text.ReadHex(4);
                character = char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)character, (char)low) : -1;
            }
        }

        return Rune.IsValid(character) ? character : throw _text.ErrorAt(start, "there is no such character");
    }
}
