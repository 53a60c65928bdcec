using System.Text;

namespace Pure.Engine.Generation.Grammars;

/// <summary>What a rule stands for: a set of byte strings, written with bytes, sequences, alternatives, repetition and other rules.</summary>
internal abstract class Expression
{
    // The compiler follows the nesting on its own stack.
    private const int MostNesting = 300;

    private Expression(int nesting)
    {
        if (nesting > MostNesting)
            throw new InvalidRequestException(
                $"The grammar nests its parts more than {MostNesting} deep; name the inner ones as rules, or write it flatter.");
        Nesting = nesting;
    }

    /// <summary>The empty text.</summary>
    internal static Expression Empty { get; } = new InOrder([]);

    /// <summary>No text at all.</summary>
    internal static Expression None { get; } = new OneOf([]);

    /// <summary>Parts within parts.</summary>
    private int Nesting { get; }

    /// <summary>One byte of a set.</summary>
    internal static Expression Bytes(ByteSet set) => new OneByte(set);

    /// <summary>A text as it is.</summary>
    internal static Expression Text(string text) =>
        Sequence([.. Encoding.UTF8.GetBytes(text).Select(value => Bytes(ByteSet.Range(value, value)))]);

    /// <summary>One after the other.</summary>
    internal static Expression Sequence(params IReadOnlyCollection<Expression> parts) =>
        parts.Count == 1 ? parts.First() : parts.Count == 0 ? Empty : new InOrder([.. parts]);

    /// <summary>One of several; single bytes among them become one set.</summary>
    internal static Expression Any(params IReadOnlyCollection<Expression> options)
    {
        if (options.Count == 1)
            return options.First();
        ByteSet bytes = default;
        var others = new List<Expression>();
        foreach (Expression option in options)
        {
            if (option is OneByte one)
                bytes = bytes.Union(one.Set);
            else if (option is OneOf nested)
                others.AddRange(nested.Options);
            else
                others.Add(option);
        }

        if (bytes != default)
            others.Add(Bytes(bytes));
        return others.Count == 1 ? others[0] : new OneOf([.. others]);
    }

    /// <summary>From <paramref name="least"/> to <paramref name="most"/> times; <see langword="null"/> for as often as one likes.</summary>
    internal static Expression Repeat(Expression body, int least, int? most) =>
        most == 0 ? Empty : least == 1 && most == 1 ? body : new Repeated(body, least, most);

    /// <summary>It, or nothing.</summary>
    internal static Expression Optional(Expression body) => Repeat(body, 0, 1);

    /// <summary>As often as one likes.</summary>
    internal static Expression Star(Expression body) => Repeat(body, 0, null);

    private static int Around(IEnumerable<Expression> parts) => 1 + parts.Select(part => part.Nesting).DefaultIfEmpty().Max();

    /// <summary>One byte of <paramref name="set"/>.</summary>
    internal sealed class OneByte(ByteSet set) : Expression(1)
    {
        internal ByteSet Set => set;
    }

    /// <summary>All of <paramref name="parts"/>, one after the other.</summary>
    internal sealed class InOrder(Expression[] parts) : Expression(Around(parts))
    {
        internal IReadOnlyList<Expression> Parts => parts;
    }

    /// <summary>One of <paramref name="options"/>.</summary>
    internal sealed class OneOf(Expression[] options) : Expression(Around(options))
    {
        internal IReadOnlyList<Expression> Options => options;
    }

    /// <summary><paramref name="body"/> from <paramref name="least"/> to <paramref name="most"/> times.</summary>
    internal sealed class Repeated(Expression body, int least, int? most) : Expression(1 + body.Nesting)
    {
        internal Expression Body => body;

        internal int Least => least;

        internal int? Most => most;
    }

    /// <summary>What <paramref name="rule"/> stands for.</summary>
    internal sealed class Reference(Rule rule) : Expression(1)
    {
        internal Rule Rule => rule;
    }
}

/// <summary>A named expression, which may refer to itself.</summary>
internal sealed class Rule(string name)
{
    private Expression? _definition;

    /// <summary>Its name, for messages.</summary>
    internal string Name => name;

    /// <summary>What it stands for.</summary>
    /// <exception cref="InvalidRequestException">It was never defined.</exception>
    internal Expression Definition
    {
        get => _definition ?? throw new InvalidRequestException($"The grammar refers to the rule '{name}', which it does not define.");
        set => _definition = value;
    }

    /// <summary>Whether it has been defined.</summary>
    internal bool IsDefined => _definition is not null;
}
