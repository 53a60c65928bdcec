using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Pure.Serve.CommandLine;

/// <summary>Options that read one value and refuse a bad one in a sentence that says what would be a good one.</summary>
internal static class ValueOptions
{
    /// <summary>A number within bounds; <paramref name="bounds"/> says them in words, such as "from 0 up".</summary>
    internal static Option<T> Number<T>(
        string name, string[] aliases, string helpName, string description, string bounds, Func<T, bool> accepts, T? fallback = default)
        where T : struct, INumber<T> =>
        new(name, aliases)
        {
            Description = description,
            HelpName = helpName,
            DefaultValueFactory = _ => fallback ?? T.Zero,
            CustomParser = result => Parse(result, name, bounds, accepts),
        };

    /// <summary>A number within bounds, or none given.</summary>
    internal static Option<T?> OptionalNumber<T>(
        string name, string[] aliases, string helpName, string description, string bounds, Func<T, bool> accepts)
        where T : struct, INumber<T> =>
        new(name, aliases)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result => Parse(result, name, bounds, accepts),
        };

    /// <summary>Some whole numbers with commas between them.</summary>
    internal static Option<int[]> Numbers(string name, string[] aliases, string description, int least, int most, int fallback) =>
        new(name, aliases)
        {
            Description = description,
            HelpName = "N[,N]",
            DefaultValueFactory = _ => [fallback],
            CustomParser = result =>
            {
                string given = Only(result);
                var numbers = new List<int>();
                foreach (string word in given.Split(','))
                {
                    if (!int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) || number < least || number > most)
                    {
                        result.AddError($"{name} is \"{given}\", expected whole numbers from {least} to {most} with commas between them.");
                        return null;
                    }

                    numbers.Add(number);
                }

                return [.. numbers];
            },
        };

    /// <summary>One of a few words.</summary>
    internal static Option<T?> Choice<T>(string name, string description, params (string Word, T Value)[] choices)
        where T : struct =>
        new(name)
        {
            Description = description,
            HelpName = string.Join('|', choices.Select(choice => choice.Word)),
            CustomParser = result =>
            {
                string given = Only(result);
                foreach ((string word, T value) in choices)
                {
                    if (word.Equals(given, StringComparison.OrdinalIgnoreCase))
                        return value;
                }

                string known = string.Join(", ", choices.Select(choice => choice.Word));
                result.AddError($"{name} is \"{given}\", which does not exist; choose one of {known}.");
                return null;
            },
        };

    /// <summary>A text, such as a path.</summary>
    internal static Option<string?> Text(string name, string[] aliases, string helpName, string description) =>
        new(name, aliases) { Description = description, HelpName = helpName };

    /// <summary>An amount of memory, such as 700M, 1.5G or 2GiB; at least one byte.</summary>
    internal static Option<long?> Size(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "SIZE",
            CustomParser = result =>
            {
                string given = Only(result);
                if (ParseSize(given) is { } bytes)
                    return bytes;
                result.AddError($"{name} is \"{given}\", expected an amount of memory such as 700M, 1.5G or 2GiB.");
                return null;
            },
        };

    /// <summary>A switch.</summary>
    internal static Option<bool> Switch(string name, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>K, M, G, T are powers of 1000, as in all figures here; KiB, MiB, GiB, TiB powers of 1024. Null for anything else.</summary>
    private static long? ParseSize(string given)
    {
        string number = given.TrimEnd("BbIi".ToCharArray());
        string unit = given[number.Length..];
        int power = number.Length == 0 ? 0 : "KMGT".IndexOf(char.ToUpperInvariant(number[^1]), StringComparison.Ordinal) + 1;
        if (power > 0)
            number = number[..^1];
        double? factor = unit.ToUpperInvariant() switch
        {
            "" or "B" => Math.Pow(1000, power),
            "IB" when power > 0 => Math.Pow(1024, power),
            _ => null,
        };
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            && value * factor is >= 1 and < long.MaxValue and { } bytes
            ? (long)bytes
            : null;
    }

    private static T Parse<T>(ArgumentResult result, string name, string bounds, Func<T, bool> accepts)
        where T : struct, INumber<T>
    {
        string given = Only(result);
        if (T.TryParse(given, NumberStyles.Float & ~NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out T value) && accepts(value))
            return value;

        string kind = T.IsInteger(T.One / (T.One + T.One)) ? "a whole number" : "a number";
        result.AddError($"{name} is \"{given}\", expected {kind} {bounds}.");
        return default;
    }

    private static string Only(ArgumentResult result) => result.Tokens.Count == 0 ? "" : result.Tokens[^1].Value;
}
