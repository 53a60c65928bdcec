using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Pure.Serve.Http;

/// <summary>The server: it listens from <see cref="StartAsync"/> on, and answers with a model from <see cref="Open"/> on.</summary>
internal sealed class HttpServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ServerState _state;

    private HttpServer(WebApplication app, ServerState state)
    {
        _app = app;
        _state = state;
    }

    /// <summary>Where it listens, such as <c>http://127.0.0.1:8080</c>.</summary>
    internal string Address => _app.Urls.First();

    /// <summary>Begins to listen.</summary>
    /// <param name="options">Where, and for whom.</param>
    /// <param name="log">Gets a line for each request.</param>
    /// <exception cref="UsageException">The address cannot be had.</exception>
    internal static async Task<HttpServer> StartAsync(ServerOptions options, TextWriter log)
    {
        IPAddress address = Resolve(options.Host);

        // Empty: no settings from files or the environment, no log of the framework's own, nothing that reflects.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // RequestBody has the limit, and lets clients hear of it
            kestrel.Listen(address, options.Port);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainLimit);
        WebApplication app = builder.Build();

        var state = new ServerState(options, new RequestLog(log));
        app.Use(new RequestPipeline(state).InvokeAsync);
        HealthEndpoints.Map(app, state);
        ModelEndpoints.Map(app, state);
        TokenEndpoints.Map(app, state);
        CompletionEndpoints.Map(app, state);
        ChatEndpoints.Map(app, state);
        var server = new HttpServer(app, state);
        try
        {
            await app.StartAsync();
            return server;
        }
        catch (Exception error) when (Explain(error, options) is { } problem)
        {
            await server.DisposeAsync();
            throw new UsageException(problem);
        }
    }

    /// <summary>Answers with a model from now on; the server owns it.</summary>
    internal void Open(ServedModel model) => _state.Model = model;

    /// <summary>
    /// Lets nobody in any more, sends those away who wait, finishes what has begun, at most as long as the options say, and stops.
    /// </summary>
    internal async Task DrainAsync()
    {
        _state.Admission.Drain();
        try
        {
            await _app.StopAsync();
        }
        catch (OperationCanceledException)
        {
            // The limit has passed; what still ran was cut off.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _state.Model?.Dispose();
        _state.Dispose();
    }

    private static IPAddress Resolve(string host)
    {
        try
        {
            IPAddress[] addresses = IPAddress.TryParse(host, out IPAddress? literal) ? [literal] : Dns.GetHostAddresses(host);
            return addresses.OrderBy(address => address.AddressFamily != AddressFamily.InterNetwork).First();
        }
        catch (Exception error) when (error is SocketException or ArgumentException or InvalidOperationException)
        {
            throw new UsageException($"--host is \"{host}\", which stands for no address; give one such as 127.0.0.1, or 0.0.0.0 for all.");
        }
    }

    private static string? Explain(Exception error, ServerOptions options)
    {
        string place = $"{options.Host}, port {options.Port}";
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
                return $"{place} is in use already; choose another with --port.";
            if (cause is SocketException { SocketErrorCode: SocketError.AccessDenied })
                return $"{place} may not be listened on by this user; choose a port from 1024 up with --port.";
            if (cause is SocketException { SocketErrorCode: SocketError.AddressNotAvailable })
                return $"{options.Host} is no address of this machine; give another with --host.";
        }

        return null;
    }

    /// <summary>The command ends the server; the framework is not to take the process's signals.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
