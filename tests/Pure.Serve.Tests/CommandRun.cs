using System.Text;

namespace Pure.Serve.Tests;

/// <summary>One run of the command inside the test's process.</summary>
internal sealed record CommandRun(int ExitCode, byte[] OutputBytes, string Errors)
{
    internal string Output => Encoding.UTF8.GetString(OutputBytes);

    internal string LastErrorLine => Errors.TrimEnd('\n').Split('\n')[^1];

    internal static CommandRun Of(params string[] args) => Of([], CancellationToken.None, args);

    internal static CommandRun Of(byte[] input, CancellationToken cancellation, params string[] args)
    {
        using var output = new MemoryStream();
        using var errors = new MemoryStream();
        int code = Cli.Run(args, new CommandStreams(new MemoryStream(input), output, errors), cancellation);
        return new CommandRun(code, output.ToArray(), Encoding.UTF8.GetString(errors.ToArray()));
    }

    /// <summary>Asserts success and returns the run.</summary>
    internal CommandRun Succeeds()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Errors}");
        return this;
    }

    /// <summary>Asserts what every bad input gets: exit code 2, nothing on standard output, one sentence that has these facts.</summary>
    internal void IsRefused(params string[] facts)
    {
        Assert.Equal(2, ExitCode);
        Assert.StartsWith("pure: ", Errors, StringComparison.Ordinal);
        Assert.EndsWith(".\n", Errors, StringComparison.Ordinal);
        Assert.Equal(1, Errors.Count(letter => letter == '\n'));
        foreach (string fact in facts)
            Assert.Contains(fact, Errors, StringComparison.Ordinal);
        Assert.Empty(OutputBytes);
    }
}
