namespace Pure.Serve;

/// <summary>What the command tells its caller; <c>pure --help</c> lists them.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    internal const int Success = 0;

    /// <summary>Something failed that no input explains.</summary>
    internal const int UnexpectedFailure = 1;

    /// <summary>The command line, a file or a text cannot be used as it is.</summary>
    internal const int BadInput = 2;

    /// <summary>What was compared is not the same.</summary>
    internal const int Different = 3;

    /// <summary>Stopped by Ctrl-C: 128 + SIGINT, as shells say it.</summary>
    internal const int Interrupted = 130;
}
