#pragma warning disable xUnit1051 // the tests have limits of their own
using System.Globalization;
using Pure.Serve.Http;

namespace Pure.Serve.Tests.Http;

/// <summary>Too many requests, those that take too long, and clients that go away.</summary>
public sealed class LoadTests
{
    private const string Path = "/v1/completions";
    private const string Long = "{\"prompt\": \"Once upon a time\", \"max_tokens\": 500, \"ignore_eos\": true, \"stream\": true}";
    private const string Short = "{\"prompt\": \"Once upon a time\", \"max_tokens\": 2}";

    [Fact]
    public async Task A_full_queue_refuses_and_says_when_to_come_again()
    {
        await using RunningServer server = await RunningServer.StartSlowAsync(new ServerOptions { MaxConcurrent = 1, MaxQueue = 1 });
        using HttpResponseMessage running = await BeginAsync(server, Long);
        List<Task<HttpResponseMessage>> others = [.. Enumerable.Range(0, 3).Select(_ => server.SendAsync(HttpMethod.Post, Path, Short))];
        for (int refused = 0; refused < 2; refused++)
        {
            Task<HttpResponseMessage> first = await Task.WhenAny(others);
            others.Remove(first);
            using HttpResponseMessage response = await first;
            Assert.Equal(429, (int)response.StatusCode);
            Assert.NotNull(response.Headers.RetryAfter?.Delta);
            RefusalTests.AssertError(RunningServer.Parse(await response.Content.ReadAsStringAsync()), null, "queue_full");
        }

        RefusalTests.AssertError(await server.PostAsync(Path, "{\"prompt\": \"a\", \"n\": 3}", status: 400), "n", "invalid_value");

        running.Dispose();
        using HttpResponseMessage waited = await others.Single();
        Assert.Equal(200, (int)waited.StatusCode);
    }

    [Fact]
    public async Task A_client_that_goes_away_frees_its_place_at_once()
    {
        await using RunningServer server = await RunningServer.StartSlowAsync(new ServerOptions { MaxConcurrent = 1, MaxQueue = 0 });
        for (int round = 0; round < 3; round++)
        {
            using HttpResponseMessage gone = await BeginAsync(server, Long);
            gone.Dispose();
            await RunningServer.UntilAsync(() => server.Log.Count(line => line.Contains("status=499", StringComparison.Ordinal)) == round + 1);
        }

        Assert.All(server.Log, line => Assert.True(Tokens(line) < 250, line));
        await server.PostAsync(Path, Short);
    }

    [Fact]
    public async Task A_client_that_goes_away_while_it_waits_or_for_a_whole_answer_frees_its_place_too()
    {
        await using RunningServer server = await RunningServer.StartSlowAsync(new ServerOptions { MaxConcurrent = 1, MaxQueue = 1 });
        using HttpResponseMessage running = await BeginAsync(server, Long);
        using (var patience = new CancellationTokenSource(100))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.SendAsync(HttpMethod.Post, Path, Short, patience.Token));
        await RunningServer.UntilAsync(() => server.Log.Any(line => line.Contains("status=499", StringComparison.Ordinal)));
        running.Dispose();

        string whole = Long.Replace("\"stream\": true", "\"stream\": false", StringComparison.Ordinal);
        using (var patience = new CancellationTokenSource(300))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.SendAsync(HttpMethod.Post, Path, whole, patience.Token));
        await RunningServer.UntilAsync(() => server.Log.Count(line => line.Contains("status=499", StringComparison.Ordinal)) == 3);
        await server.PostAsync(Path, Short);
    }

    [Fact]
    public async Task A_text_that_takes_too_long_is_given_up()
    {
        await using RunningServer server = await RunningServer.StartSlowAsync(new ServerOptions { RequestTimeout = TimeSpan.FromSeconds(3) });
        string many = Long.Replace("{", "{\"n\": 8, ", StringComparison.Ordinal);
        string whole = many.Replace("\"stream\": true", "\"stream\": false", StringComparison.Ordinal);
        RefusalTests.AssertError(await server.PostAsync(Path, whole, status: 504), null, "request_timeout");

        using HttpResponseMessage response = await BeginAsync(server, many);
        string[] events = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        RefusalTests.AssertError(RunningServer.Parse(events[^1]["data: ".Length..]), null, "request_timeout");
        await server.PostAsync(Path, Short);
    }

    [Fact]
    public async Task Health_answers_while_every_place_is_taken()
    {
        await using RunningServer server = await RunningServer.StartSlowAsync(new ServerOptions { MaxConcurrent = 8 });
        HttpResponseMessage[] running = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => BeginAsync(server, Long)));
        for (int probe = 0; probe < 20; probe++)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            using HttpResponseMessage response = await server.SendAsync(HttpMethod.Get, "/health", cancellation: limit.Token);
            Assert.Equal(200, (int)response.StatusCode);
        }

        foreach (HttpResponseMessage response in running)
            response.Dispose();
    }

    [Fact]
    public async Task Draining_finishes_what_runs_and_sends_away_what_waits()
    {
        await using RunningServer server = await RunningServer.StartSlowAsync(new ServerOptions { MaxConcurrent = 1 });
        using HttpResponseMessage running = await BeginAsync(server, Long.Replace("500", "60", StringComparison.Ordinal));
        Task<HttpResponseMessage> waiting = server.SendAsync(HttpMethod.Post, Path, Short);
        await Task.Delay(100);
        Task drained = server.Server.DrainAsync();

        using HttpResponseMessage sentAway = await waiting;
        Assert.Equal(503, (int)sentAway.StatusCode);
        Assert.NotNull(sentAway.Headers.RetryAfter);
        RefusalTests.AssertError(RunningServer.Parse(await sentAway.Content.ReadAsStringAsync()), null, "draining");
        Assert.EndsWith("data: [DONE]\n\n", await running.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await drained;
        await Assert.ThrowsAsync<HttpRequestException>(() => server.SendAsync(HttpMethod.Get, "/health"));
    }

    [Fact]
    public async Task Draining_cuts_off_what_takes_longer_than_its_limit()
    {
        await using RunningServer server = await RunningServer.StartSlowAsync(new ServerOptions { DrainLimit = TimeSpan.FromMilliseconds(200) });
        using HttpResponseMessage running = await BeginAsync(server, Long);
        await server.Server.DrainAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => running.Content.ReadAsStringAsync());
        await RunningServer.UntilAsync(() => server.Log.Any(line => line.Contains("status=499", StringComparison.Ordinal)));
    }

    /// <summary>Begins a request and waits until its first token is there.</summary>
    private static async Task<HttpResponseMessage> BeginAsync(RunningServer server, string json)
    {
        HttpResponseMessage response = await server.SendAsync(HttpMethod.Post, Path, json);
        Assert.Equal(200, (int)response.StatusCode);
        return response;
    }

    private static int Tokens(string line)
    {
        const string Name = "completion_tokens=";
        string count = line.Split(' ').Single(part => part.StartsWith(Name, StringComparison.Ordinal))[Name.Length..];
        return int.Parse(count, CultureInfo.InvariantCulture);
    }
}
