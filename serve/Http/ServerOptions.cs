namespace Pure.Serve.Http;

/// <summary>Where the server listens, whom it admits, and how much it takes on.</summary>
internal sealed record ServerOptions
{
    /// <summary>An address of this machine, or a name that stands for one.</summary>
    internal string Host { get; init; } = "127.0.0.1";

    /// <summary>The port; 0 takes a free one.</summary>
    internal int Port { get; init; } = 8080;

    /// <summary>Who may ask; everyone if there is no key.</summary>
    internal ApiKeys Keys { get; init; } = ApiKeys.None;

    /// <summary>Whether texts of different keys share no computed beginnings, so that none can tell from the time what another has sent.</summary>
    internal bool SeparatesKeys { get; init; }

    /// <summary>Most bytes of a request's body.</summary>
    internal long MaxBody { get; init; } = 8_000_000;

    /// <summary>Most texts that are written at once.</summary>
    internal int MaxConcurrent { get; init; } = 16;

    /// <summary>Most texts that wait to be written.</summary>
    internal int MaxQueue { get; init; } = 256;

    /// <summary>How long one request may take, its wait included.</summary>
    internal TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>How long running requests may take when the server is to end.</summary>
    internal TimeSpan DrainLimit { get; init; } = TimeSpan.FromSeconds(30);
}
