using System.Runtime.InteropServices;

namespace Pure.Serve;

/// <summary>
/// Turns the first Ctrl-C (or SIGTERM) into a cancellation, so that the running command ends its line and says where it stopped. The
/// second one ends the process.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    internal Interruption() =>
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
        ];

    internal CancellationToken Token => _source.Token;

    /// <summary>
    /// What Ctrl-C does instead, for a command that goes on after it. A SIGTERM then ends the process at once: the command may be
    /// waiting for input, and would not see a cancellation.
    /// </summary>
    internal Action? Diversion { get; set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        if (Diversion is { } divert)
        {
            context.Cancel = context.Signal == PosixSignal.SIGINT;
            if (context.Cancel)
                divert();
            return;
        }

        context.Cancel = !_source.IsCancellationRequested;
        _source.Cancel();
    }
}
