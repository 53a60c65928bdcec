namespace Pure.Serve;

/// <summary>The command line or a file it names cannot be used. The message is one sentence that says what to change.</summary>
internal sealed class UsageException(string message) : Exception(message);
