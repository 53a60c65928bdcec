using System.CommandLine;
using System.Reflection;
using System.Text;
using Pure.Chat.Templates;
using Pure.Engine;
using Pure.Engine.Devices;
using Pure.Serve.CommandLine;
using Pure.Serve.Commands;
using Pure.Tokenizers;

namespace Pure.Serve;

/// <summary>The command <c>pure</c>: reads the command line, runs what it names, and says failures in one sentence.</summary>
internal static class Cli
{
    private const string TraceVariable = "PURE_TRACE";
    private const int BrokenPipe = 32;

    /// <summary>Runs <paramref name="args"/> and returns the exit code.</summary>
    internal static int Run(IReadOnlyList<string> args, CommandStreams streams, CancellationToken cancellation = default)
    {
        try
        {
            return Dispatch(args, streams, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (IOException error) when (error.HResult == BrokenPipe && !OperatingSystem.IsWindows())
        {
            // The reader of a pipe has seen enough (pure run | head -1).
            return ExitCode.Success;
        }
        catch (Exception error) when (IsBadInput(error))
        {
            return Fail(streams, error.Message, error, ExitCode.BadInput);
        }
        catch (OutOfMemoryException error)
        {
            return Fail(streams, "the memory does not suffice; use a smaller model or a shorter text.", error, ExitCode.BadInput);
        }
        catch (IOException error)
        {
            return Fail(streams, $"reading or writing failed: {error.Message.TrimEnd('.')}.", error, ExitCode.UnexpectedFailure);
        }
#pragma warning disable CA1031 // The outermost door: whatever it is, the user gets a sentence.
        catch (Exception error)
#pragma warning restore CA1031
        {
            string message = $"unexpected failure ({error.GetType().Name}): {error.Message.TrimEnd('.')}; "
                + $"set {TraceVariable}=1 to see where, and report it.";
            return Fail(streams, message, error, ExitCode.UnexpectedFailure);
        }
    }

    private static int Dispatch(IReadOnlyList<string> args, CommandStreams streams, CancellationToken cancellation)
    {
        Option<bool> help = ValueOptions.Switch("--help", "Show help, of a command when one is named.", "-h", "-?");
        Option<bool> version = ValueOptions.Switch("--version", "Show the version.");
        help.Recursive = true;
        var root = new RootCommand("Pure runs large language models, wholly in C#, with results that do not depend on the machine.");
        root.Directives.Clear();
        root.Options.Clear();
        root.Add(help);
        root.Add(version);
        foreach (PureCommand command in CommandsFor(args))
            root.Add(command);

        // No response files, no bundles: a prompt may begin with @, and -xyz is no three options.
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        var chosen = parsed.CommandResult.Command as PureCommand;
        if (parsed.GetValue(help))
        {
            streams.Output.Write(chosen is null ? HelpText.OfRoot(root, streams.Width) : HelpText.Of(chosen, streams.Width));
            return ExitCode.Success;
        }

        if (ParseProblem.Find(parsed) is { } problem)
            throw new UsageException(problem);

        if (parsed.GetValue(version))
        {
            streams.Output.WriteLine($"pure {Version}");
            return ExitCode.Success;
        }

        if (chosen is null)
        {
            streams.Output.Write(HelpText.OfRoot(root, streams.Width));
            return ExitCode.Success;
        }

        return chosen.Run(parsed, streams, cancellation);
    }

    /// <summary>The command that is named first, and otherwise all: making their options takes longer than reading them.</summary>
    private static IEnumerable<PureCommand> CommandsFor(IReadOnlyList<string> args)
    {
        Func<PureCommand>? named = args.Count == 0 ? null : AllCommands.FirstOrDefault(command => command.Name == args[0]).Make;
        return named is not null ? [named()] : AllCommands.Select(command => command.Make());
    }

    private static (string Name, Func<PureCommand> Make)[] AllCommands =>
    [
        ("run", () => new RunCommand()),
        ("chat", () => new ChatCommand()),
        ("serve", () => new ServeCommand()),
        ("info", () => new InfoCommand()),
        ("devices", () => new DevicesCommand()),
        ("tokenize", () => new TokenizeCommand()),
        ("render", () => new RenderCommand()),
        ("perplexity", () => new PerplexityCommand()),
        ("bench", () => new BenchCommand()),
        ("logits", () => new LogitsCommand()),
        ("trace", () => new TraceCommand()),
        ("diff", () => new DiffCommand()),
    ];

    private static string Version =>
        typeof(Cli).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>A value that is not finite comes from the weights of a damaged file; the engine's message says so.</summary>
    private static bool IsBadInput(Exception error) =>
        error is UsageException or DeviceException or ModelFormatException or InvalidRequestException or TokenizerException or TemplateException or NotFiniteNumberException;

    private static int Fail(CommandStreams streams, string message, Exception error, int code)
    {
        streams.Error.WriteLine("pure: " + OneLine(message));
        if (Environment.GetEnvironmentVariable(TraceVariable) == "1")
            streams.Error.WriteLine(error.ToString());
        return code;
    }

    /// <summary>Names from files may hold anything; a message stays one line and steers no terminal.</summary>
    private static string OneLine(string message)
    {
        var line = new StringBuilder(message.Length);
        foreach (char letter in message)
            line.Append(char.IsControl(letter) ? ' ' : letter);
        return line.ToString();
    }
}
