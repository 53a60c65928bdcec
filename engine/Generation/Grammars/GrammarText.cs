using System.Globalization;
using System.Text;

namespace Pure.Engine.Generation.Grammars;

/// <summary>The text of a grammar, read character by character, and the place in it for messages.</summary>
/// <param name="text">The text.</param>
/// <param name="what">What it is called in messages.</param>
internal sealed class GrammarText(string text, string what)
{
    private const int MostRepeats = 1_000_000;

    /// <summary>Where reading stands, in UTF-16 units.</summary>
    internal int Position { get; set; }

    /// <summary>Whether all was read.</summary>
    internal bool IsAtEnd => Position == text.Length;

    /// <summary>The unit that comes next; NUL at the end.</summary>
    internal char Next => Position < text.Length ? text[Position] : '\0';

    /// <summary>Whether that comes next; it is read then.</summary>
    internal bool Take(string expected)
    {
        bool comes = text.AsSpan(Position).StartsWith(expected, StringComparison.Ordinal);
        if (comes)
            Position += expected.Length;
        return comes;
    }

    /// <summary>Reads that.</summary>
    internal void Require(string expected)
    {
        if (!Take(expected))
            throw Error($"'{expected}' is expected");
    }

    /// <summary>Whether that comes next.</summary>
    internal bool Comes(string expected) => text.AsSpan(Position).StartsWith(expected, StringComparison.Ordinal);

    /// <summary>Reads a character.</summary>
    internal int ReadCharacter()
    {
        if (IsAtEnd)
            throw Error("it ends too early");
        if (Rune.DecodeFromUtf16(text.AsSpan(Position), out Rune rune, out int units) != System.Buffers.OperationStatus.Done)
            throw Error("half a surrogate pair stands there");
        Position += units;
        return rune.Value;
    }

    /// <summary>Reads while units are of a kind.</summary>
    internal string ReadWhile(Func<char, bool> isWanted)
    {
        int start = Position;
        while (Position < text.Length && isWanted(text[Position]))
            Position++;
        return text[start..Position];
    }

    /// <summary>Reads a number of hexadecimal digits.</summary>
    internal int ReadHex(int digits)
    {
        if (Position + digits <= text.Length
            && int.TryParse(text.AsSpan(Position, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value))
        {
            Position += digits;
            return value;
        }

        throw Error($"{digits} hexadecimal digits are expected");
    }

    /// <summary>Reads the rest of <c>{m}</c>, <c>{m,}</c>, <c>{m,n}</c> or <c>{,n}</c> after the brace.</summary>
    internal (int Least, int? Most) ReadCounts()
    {
        bool hasLeast = char.IsAsciiDigit(Next);
        int least = hasLeast ? ReadCount() : 0;
        int? most = least;
        if (Take(","))
            most = char.IsAsciiDigit(Next) ? ReadCount() : null;
        else if (!hasLeast)
            throw Error("a count is expected");
        Require("}");
        if (most < least)
            throw Error($"the most, {most}, is less than the least, {least}");
        return (least, most);
    }

    /// <summary>An error at the place.</summary>
    internal InvalidRequestException Error(string problem) => ErrorAt(Position, problem);

    /// <summary>An error at a place.</summary>
    internal InvalidRequestException ErrorAt(int position, string problem)
    {
        ReadOnlySpan<char> before = text.AsSpan(0, position);
        int line = before.Count('\n') + 1;
        int column = position - before.LastIndexOf('\n');
        return new InvalidRequestException($"{what} cannot be read at line {line}, column {column}: {problem}.");
    }

    private int ReadCount()
    {
        int start = Position;
        string digits = ReadWhile(char.IsAsciiDigit);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= MostRepeats
            ? count
            : throw ErrorAt(start, $"{digits} repetitions are too many; {MostRepeats} are the most");
    }
}
