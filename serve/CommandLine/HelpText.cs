using System.CommandLine;
using System.Text;

namespace Pure.Serve.CommandLine;

/// <summary>Help, written for reading: what it does, how to call it, options by group, examples.</summary>
internal static class HelpText
{
    private const int Indent = 2;
    private const int LeastDescriptionWidth = 30;

    /// <summary>Help for the whole command.</summary>
    internal static string OfRoot(Command root, int width)
    {
        var text = new StringBuilder();
        Paragraph(text, root.Description!, 0, width);
        Heading(text, "Usage");
        text.Append("  pure COMMAND [MODEL] [options]\n");
        Heading(text, "Commands");
        Columns(text, [.. root.Subcommands.Select(command => (command.Name, command.Description ?? ""))], width);
        Heading(text, "Options");
        Columns(text, [.. root.Options.Select(option => (Names(option), option.Description ?? ""))], width);
        Heading(text, "Examples");
        Examples(text, [.. root.Subcommands.OfType<PureCommand>().Select(command => command.Examples[0])], width);
        Heading(text, "Exit codes");
        Columns(
            text,
            [
                ($"{ExitCode.Success}", "done"),
                ($"{ExitCode.UnexpectedFailure}", "unexpected failure; PURE_TRACE=1 shows where"),
                ($"{ExitCode.BadInput}", "the command line, a file or a text cannot be used; one sentence on standard error says why"),
                ($"{ExitCode.Different}", "pure diff: the two part"),
                ($"{ExitCode.Interrupted}", "stopped by Ctrl-C"),
            ],
            width);
        text.Append("\nMODEL is a GGUF file (of a model in several files, the first) or a Hugging Face folder. Without it, the\n");
        text.Append("embedded model stories-moe is used, which writes children's stories. pure COMMAND --help says more.\n");
        return text.ToString();
    }

    /// <summary>Help for one command.</summary>
    internal static string Of(PureCommand command, int width)
    {
        var text = new StringBuilder();
        Paragraph(text, command.Description!, 0, width);
        Heading(text, "Usage");
        string arguments = string.Concat(command.Arguments.Select(argument =>
            argument.Arity.MinimumNumberOfValues == 0 ? $" [{argument.Name}]" : $" {argument.Name}"));
        text.Append($"  pure {command.Name}{arguments} [options]\n");
        if (command.Arguments.Count > 0)
        {
            Heading(text, "Arguments");
            Columns(text, [.. command.Arguments.Select(argument => (argument.Name, argument.Description ?? ""))], width);
        }

        foreach (OptionGroup group in command.Groups)
        {
            Heading(text, group.Title);
            Columns(text, [.. group.Options.Select(option => (Names(option), option.Description ?? ""))], width);
        }

        foreach (string note in command.Notes)
        {
            text.Append('\n');
            Paragraph(text, note, 0, width);
        }

        Heading(text, "Examples");
        Examples(text, command.Examples, width);
        return text.ToString();
    }

    private static void Heading(StringBuilder text, string title) => text.Append('\n').Append(title).Append(":\n");

    private static string Names(Option option)
    {
        var aliases = option.Aliases.OrderBy(alias => alias.Length);
        string names = string.Join(", ", aliases.Append(option.Name));
        return option.Arity.MaximumNumberOfValues == 0 ? names : $"{names} {option.HelpName}";
    }

    private static void Examples(StringBuilder text, IReadOnlyList<Example> examples, int width)
    {
        foreach (Example example in examples)
        {
            Paragraph(text, "# " + example.Purpose, Indent, width);
            text.Append(' ', Indent).Append(example.Line).Append('\n');
        }
    }

    private static void Columns(StringBuilder text, IReadOnlyList<(string Left, string Right)> rows, int width)
    {
        int left = rows.Max(row => row.Left.Length) + (2 * Indent);
        foreach ((string name, string description) in rows)
        {
            text.Append(' ', Indent).Append(name).Append(' ', left - Indent - name.Length);
            bool first = true;
            foreach (string line in Wrap(description, Math.Max(LeastDescriptionWidth, width - left)))
            {
                if (!first)
                    text.Append(' ', left);
                text.Append(line).Append('\n');
                first = false;
            }
        }
    }

    private static void Paragraph(StringBuilder text, string words, int indent, int width)
    {
        foreach (string line in Wrap(words, width - indent))
            text.Append(' ', indent).Append(line).Append('\n');
    }

    private static IEnumerable<string> Wrap(string words, int width)
    {
        var line = new StringBuilder();
        foreach (string word in words.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            if (line.Length > 0)
                line.Append(' ');
            line.Append(word);
        }

        yield return line.ToString();
    }
}
