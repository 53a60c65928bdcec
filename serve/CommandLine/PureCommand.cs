using System.CommandLine;

namespace Pure.Serve.CommandLine;

/// <summary>One of the things <c>pure</c> does: its arguments, its help, and what happens.</summary>
internal abstract class PureCommand : Command
{
    /// <summary>A command called <paramref name="name"/>; <paramref name="summary"/> is its line in the list of commands.</summary>
    protected PureCommand(string name, string summary)
        : base(name, summary)
    {
    }

    /// <summary>Option groups in the order help shows them.</summary>
    internal IReadOnlyList<OptionGroup> Groups { get; private set; } = [];

    /// <summary>What a user may want to know beyond the options, as paragraphs.</summary>
    internal virtual IReadOnlyList<string> Notes => [];

    /// <summary>Command lines that work, with what they are for.</summary>
    internal abstract IReadOnlyList<Example> Examples { get; }

    /// <summary>Does it and returns the exit code.</summary>
    /// <exception cref="UsageException">The command line asks for something that can't be.</exception>
    /// <exception cref="OperationCanceledException">The user stopped it.</exception>
    internal abstract int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation);

    /// <summary>Adds the options of <paramref name="groups"/> to the command.</summary>
    protected void AddGroups(params OptionGroup[] groups)
    {
        Groups = groups;
        foreach (OptionGroup group in groups)
        {
            foreach (Option option in group.Options)
                Add(option);
        }
    }
}

/// <summary>A command line for help.</summary>
/// <param name="Line">What to type.</param>
/// <param name="Purpose">What it does.</param>
internal readonly record struct Example(string Line, string Purpose);
