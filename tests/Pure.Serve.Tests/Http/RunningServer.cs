using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Pure.Chat;
using Pure.Engine.Generation;
using Pure.Engine.Kernels;
using Pure.Engine.Models;
using Pure.Serve.Http;

namespace Pure.Serve.Tests.Http;

/// <summary>
/// A server in the test's process, on a free port, and a client of it. As a fixture: with the embedded model and no limits of its own.
/// </summary>
public sealed class RunningServer : IAsyncLifetime
{
    internal const string ModelId = "stories-moe";
    private readonly StringWriter _log = new();
    private readonly ServerOptions _options;
    private readonly Func<LanguageModel>? _load;
    private HttpServer? _server;

    public RunningServer()
        : this(new ServerOptions())
    {
    }

    private RunningServer(ServerOptions options, Func<LanguageModel>? load = null)
    {
        _options = options with { Port = 0 };
        _load = load ?? (() => LanguageModel.LoadDefault(new ModelOptions { Threads = 2 }));
    }

    /// <summary>The client; its requests go to the server by path. An answer that is dropped is not read on: the connection closes.</summary>
    internal HttpClient Client { get; } = new(new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero }) { Timeout = TimeSpan.FromMinutes(2) };

    internal HttpServer Server => _server!;

    /// <summary>The model that the server answers with, to compare with.</summary>
    internal LanguageModel Model { get; private set; } = null!;

    /// <summary>The lines about requests so far.</summary>
    internal string[] Log => _log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A server of other options, or another model.</summary>
    internal static async Task<RunningServer> StartAsync(ServerOptions options, Func<LanguageModel>? load = null)
    {
        var server = new RunningServer(options, load);
        await server.InitializeAsync();
        return server;
    }

    /// <summary>A server whose model is slow enough to be caught at it: some 500 tokens take seconds.</summary>
    internal static Task<RunningServer> StartSlowAsync(ServerOptions options) =>
        StartAsync(options, () => LanguageModel.LoadDefault(new ModelOptions { Threads = 1, Isa = Isa.Scalar, Repack = false }));

    /// <summary>A server that has no model yet.</summary>
    internal static async Task<RunningServer> StartEmptyAsync()
    {
        var server = new RunningServer(new ServerOptions());
        await server.ListenAsync();
        return server;
    }

    public async ValueTask InitializeAsync()
    {
        Model = _load!();
        await ListenAsync();
        Server.Open(new ServedModel(ModelId, Model, new SchedulerOptions { CachePositions = 8192, MaxRunning = _options.MaxConcurrent }, new TextOptions()));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        await _log.DisposeAsync();
    }

    /// <summary>Posts a body and reads the answer, which must have this status.</summary>
    internal async Task<JsonElement> PostAsync(string path, string json, int status = 200)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Post, path, json);
        return await ReadAsync(response, status);
    }

    internal async Task<JsonElement> GetAsync(string path, int status = 200)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, path);
        return await ReadAsync(response, status);
    }

    /// <summary>Sends a request, and returns as soon as there are headers.</summary>
    internal Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? json = null, CancellationToken cancellation = default, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        foreach ((string name, string value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    /// <summary>Posts a body and reads the events of the answer, the last one without its <c>[DONE]</c>.</summary>
    internal async Task<List<JsonElement>> StreamAsync(string path, string json)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Post, path, json);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        string[] events = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events, line => Assert.StartsWith("data: ", line, StringComparison.Ordinal));
        Assert.Equal("data: [DONE]", events[^1]);
        return [.. events[..^1].Select(line => Parse(line["data: ".Length..]))];
    }

    internal static JsonElement Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    /// <summary>Waits until something holds; a test's own time limit is its bound.</summary>
    internal static async Task UntilAsync(Func<bool> holds)
    {
        for (int attempt = 0; !holds(); attempt++)
        {
            Assert.True(attempt < 2000, "It did not come to hold in 20 seconds.");
            await Task.Delay(10);
        }
    }

    /// <summary>The text that the model itself writes.</summary>
    internal async Task<string> WriteAsync(string prompt, TextOptions options)
    {
        var text = new StringBuilder();
        await foreach (string piece in Model.GenerateAsync(prompt, options))
            text.Append(piece);
        return text.ToString();
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response, int status)
    {
        string body = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"status {(int)response.StatusCode}: {body}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return Parse(body);
    }

    private async Task ListenAsync()
    {
        _server = await HttpServer.StartAsync(_options, TextWriter.Synchronized(_log));
        Client.BaseAddress = new Uri(_server.Address);
    }
}
