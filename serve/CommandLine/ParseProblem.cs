using System.CommandLine;
using System.CommandLine.Parsing;

namespace Pure.Serve.CommandLine;

/// <summary>The first thing wrong with a command line, in one sentence.</summary>
internal static class ParseProblem
{
    /// <summary>The sentence, or null when the command line is well formed.</summary>
    internal static string? Find(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        return FindUnknown(parsed, command)
            ?? FindMisused(parsed.CommandResult)
            ?? (parsed.Errors.Count > 0 && command is not RootCommand ? parsed.Errors[0].Message : null);
    }

    private static string? FindUnknown(ParseResult parsed, Command command)
    {
        foreach (string word in UnknownWords(parsed))
        {
            if (word.Length > 1 && word[0] == '-')
            {
                string[] names = [.. command.Options.SelectMany(option => option.Aliases.Prepend(option.Name)), "--help"];
                string flag = word.Split('=', ':')[0];
                return $"unknown option {flag}{Suggestion(flag, names)}; see {Path(command)} --help.";
            }

            if (command is RootCommand)
            {
                string[] names = [.. command.Subcommands.Select(sub => sub.Name)];
                return $"unknown command \"{word}\"{Suggestion(word, names)}; the commands are {string.Join(", ", names)}.";
            }

            return $"unexpected argument \"{word}\"; put quotes around a text with spaces, and see {Path(command)} --help.";
        }

        return null;
    }

    /// <summary>Words that belong to no option, in order; the parser takes an unknown option for the argument MODEL where that is free.</summary>
    private static IEnumerable<string> UnknownWords(ParseResult parsed)
    {
        var asArgument = parsed.CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(argument => argument.Tokens)
            .Select(token => token.Value)
            .Where(word => word.Length > 1 && word[0] == '-' && !AfterDoubleDash(parsed, word));
        return asArgument.Concat(parsed.UnmatchedTokens);
    }

    private static bool AfterDoubleDash(ParseResult parsed, string word)
    {
        var words = parsed.Tokens.Select(token => token.Value).ToList();
        int dashes = words.IndexOf("--");
        return dashes >= 0 && words.LastIndexOf(word) > dashes;
    }

    private static string? FindMisused(CommandResult command)
    {
        // The parser gives an option whatever word follows, another option's name too: pure info -c --json.
        HashSet<string> names = [.. command.Command.Options.SelectMany(option => option.Aliases.Append(option.Name))];
        foreach (OptionResult result in command.Children.OfType<OptionResult>())
        {
            Option option = result.Option;
            if (result.Implicit || option.Arity.MaximumNumberOfValues == 0)
                continue;
            if (result.Tokens.Count == 0 && option.Arity.MinimumNumberOfValues == 0)
                continue;
            if (result.Tokens.Count == 0 || names.Contains(result.Tokens[0].Value))
                return $"option {Name(result)} needs a value: {Name(result)} {option.HelpName}.";
            if (result.IdentifierTokenCount > 1 && option.Arity.MaximumNumberOfValues == 1)
                return $"option {Name(result)} is given {result.IdentifierTokenCount} times; give it once.";
        }

        return null;
    }

    private static string Name(OptionResult result) => result.IdentifierToken?.Value ?? result.Option.Name;

    private static string Path(Command command) => command is RootCommand ? "pure" : $"pure {command.Name}";

    private static string Suggestion(string word, IReadOnlyList<string> names)
    {
        // Shorter words are near to everything.
        const int LeastLength = 3;
        if (word.Length < LeastLength)
            return "";
        if (names.FirstOrDefault(name => IsBeginning(name, word) || IsBeginning(word, name)) is { } related)
            return $", did you mean {related}?";
        string nearest = names.MinBy(name => Distance(word, name))!;
        return Distance(word, nearest) <= Math.Max(2, word.Length / 3) ? $", did you mean {nearest}?" : "";

        // --temp of --temperature; -- begins every option.
        static bool IsBeginning(string beginning, string whole) =>
            beginning.Length > LeastLength && whole.StartsWith(beginning, StringComparison.Ordinal);
    }

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other.</summary>
    private static int Distance(string from, string to)
    {
        var cost = new int[from.Length + 1, to.Length + 1];
        for (int i = 0; i <= from.Length; i++)
        {
            for (int j = 0; j <= to.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }

                int substitution = cost[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(substitution, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }

        return cost[from.Length, to.Length];
    }
}
