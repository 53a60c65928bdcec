using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Pure.Serve.Benchmark;

namespace Pure.Bench.EndToEnd;

/// <summary>
/// Asks a server of the embedded model for texts from many clients at once, some of which leave early, send nonsense or send far too much. Every
/// text must be the one that the same request gets alone, and health must be told promptly.
/// </summary>
/// <param name="url">Where the server is.</param>
/// <param name="clients">How many ask at once.</param>
/// <param name="time">How long.</param>
/// <param name="process">The server's process, whose memory is looked at; null where it is another machine's.</param>
internal sealed class Load(Uri url, int clients, TimeSpan time, int? process) : IDisposable
{
    private const int Requests = 64; // different ones
    private const int LargeBody = 10 << 20;
    private static readonly string[] Openings = ["Once upon a time", "The little dog", "Lily went to the park", "One day a big bear", "Tom had a red ball"];

    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 4096 })
    {
        BaseAddress = url,
        Timeout = TimeSpan.FromMinutes(5),
    };

    private readonly string[] _expected = new string[Requests];
    private readonly ConcurrentDictionary<string, int> _outcomes = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<double> _health = [];
    private readonly List<(TimeSpan At, long Bytes)> _memory = [];
    private readonly Stopwatch _clock = new();

    /// <summary>Runs, and tells what came of it as a table.</summary>
    internal async Task<string> RunAsync(Machine machine, string command)
    {
        for (int request = 0; request < Requests; request++)
            _expected[request] = await TextAsync(request, streams: false);

        _clock.Start();
        await Task.WhenAll([.. Enumerable.Range(0, clients).Select(ClientAsync), HealthAsync(), MemoryAsync()]);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"- machine: {machine.Cpu}, {machine.Cores} cores, {machine.System}, {machine.Runtime}; load before: {machine.Load:F2}\n");
        text.Append(CultureInfo.InvariantCulture, $"- date and version: {machine.Date}, {machine.Version}\n- command: `{command}`\n");
        text.Append(CultureInfo.InvariantCulture, $"- {clients} clients for {time.TotalMinutes:0.#} minutes on the machine of the server\n\n");
        text.Append("| what came of requests | how often |\n|---|---:|\n");
        foreach ((string outcome, int count) in _outcomes.OrderBy(outcome => outcome.Key, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"| {outcome} | {count} |\n");
        double[] health = [.. _health.Order()];
        text.Append(CultureInfo.InvariantCulture, $"\nHealth, asked {health.Length} times: median {At(0.5):F1} ms, 99 % within {At(0.99):F1} ms, at most {health[^1]:F1} ms.\n");
        if (_memory.Count > 1)
        {
            long[] second = [.. _memory.Where(sample => sample.At >= time / 2).Select(sample => sample.Bytes)];
            text.Append(CultureInfo.InvariantCulture, $"Working set in the second half: {second.Min() / 1e6:F1} to {second.Max() / 1e6:F1} MB, {second[0] / 1e6:F1} at its beginning and {second[^1] / 1e6:F1} at its end.\n");
        }

        return text.ToString();

        double At(double share) => health[(int)(share * (health.Length - 1))];
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task ClientAsync(int client)
    {
        var random = new Random(client);
        while (_clock.Elapsed < time)
        {
            string outcome;
            try
            {
                outcome = random.Next(20) switch
                {
                    0 => await PostAsync("{\"prompt\": [1, 2", HttpStatusCode.BadRequest, "nonsense refused"),
                    1 => await PostAsync("{\"prompt\": \"a\", \"temperature\": -1}", HttpStatusCode.BadRequest, "a wrong value refused"),
                    2 when random.Next(10) == 0 => await PostAsync(
                        $"{{\"prompt\": \"{new string('a', LargeBody)}\"}}", HttpStatusCode.RequestEntityTooLarge, "a body of 10 MB refused"),
                    < 6 => await LeaveAsync(random),
                    _ => await AskAsync(random),
                };
            }
            catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
            {
                outcome = $"LOST: {error.GetType().Name}";
            }

            _outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);
        }
    }

    private async Task<string> AskAsync(Random random)
    {
        int request = random.Next(Requests);
        return await TextAsync(request, streams: true) == _expected[request] ? "the text that it is alone" : "MIXED UP: another text";
    }

    private async Task<string> LeaveAsync(Random random)
    {
        using var leave = new CancellationTokenSource();
        using HttpResponseMessage response = await SendAsync(Body(random.Next(Requests), streams: true), leave.Token);
        await using Stream stream = await response.Content.ReadAsStreamAsync(leave.Token);
        var buffer = new byte[1 + random.Next(2000)];
        await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, leave.Token);
        await leave.CancelAsync();
        return "left early";
    }

    private async Task<string> PostAsync(string body, HttpStatusCode expected, string outcome)
    {
        using HttpResponseMessage response = await SendAsync(body, CancellationToken.None);
        return response.StatusCode == expected ? outcome : $"UNEXPECTED: {outcome}, but {(int)response.StatusCode}";
    }

    private async Task<string> TextAsync(int request, bool streams)
    {
        using HttpResponseMessage response = await SendAsync(Body(request, streams), CancellationToken.None);
        response.EnsureSuccessStatusCode();
        string body = await response.Content.ReadAsStringAsync();
        if (!streams)
            return Piece(body);
        const string Mark = "data: ";
        return string.Concat(body.Split('\n').Where(line => line.StartsWith(Mark, StringComparison.Ordinal) && !line.EndsWith("[DONE]", StringComparison.Ordinal))
            .Select(line => Piece(line[Mark.Length..])));

        static string Piece(string json)
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.GetProperty("choices")[0].GetProperty("text").GetString()!;
        }
    }

    private static string Body(int request, bool streams) => JsonSerializer.Serialize(new
    {
        prompt = Openings[request % Openings.Length],
        max_tokens = 10 + (request * 7 % 90),
        seed = request,
        temperature = 0.9,
        stream = streams,
    });

    private Task<HttpResponseMessage> SendAsync(string body, CancellationToken cancellation) => _client.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") },
        HttpCompletionOption.ResponseHeadersRead,
        cancellation);

    private async Task HealthAsync()
    {
        while (_clock.Elapsed < time)
        {
            long began = Stopwatch.GetTimestamp();
            using HttpResponseMessage response = await _client.GetAsync(new Uri("/health/live", UriKind.Relative));
            _health.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            await Task.Delay(100);
        }
    }

    private async Task MemoryAsync()
    {
        while (process is { } id && _clock.Elapsed < time)
        {
            using var server = Process.GetProcessById(id);
            _memory.Add((_clock.Elapsed, server.WorkingSet64));
            await Task.Delay(1000);
        }
    }
}
