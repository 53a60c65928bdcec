using System.Text.Json;
using Pure.Serve.Http;

namespace Pure.Serve.Tests.Http;

/// <summary>What texts that begin alike cost, as usage tells it.</summary>
public sealed class SharedBeginningTests
{
    private static readonly string Long = string.Join(' ', Enumerable.Repeat("Once upon a time there was a little dog who wanted to see the sea.", 8));

    [Fact]
    public async Task A_prompt_that_begins_like_an_earlier_one_is_read_from_there_on()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ServerOptions());
        JsonElement first = await server.PostAsync("/v1/completions", Body(Long));
        JsonElement second = await server.PostAsync("/v1/completions", Body(Long + " And then"));
        Assert.Equal(0, Cached(first));
        Assert.InRange(Cached(second), 64, first.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(0, Cached(second) % 64);
    }

    [Fact]
    public async Task Keys_can_be_kept_apart()
    {
        ApiKeys keys = ApiKeys.Read(["a", "b"], null, null, new CommandStreams(Stream.Null, Stream.Null, Stream.Null));
        await using RunningServer server = await RunningServer.StartAsync(new ServerOptions { Keys = keys, SeparatesKeys = true });
        Assert.Equal(0, await CachedAsync("a"));
        Assert.Equal(0, await CachedAsync("b"));
        Assert.InRange(await CachedAsync("a"), 64, 1000);

        async Task<int> CachedAsync(string key)
        {
            using HttpResponseMessage response = await server.SendAsync(
                HttpMethod.Post, "/v1/completions", Body(Long), TestContext.Current.CancellationToken, ("Authorization", $"Bearer {key}"));
            return Cached(RunningServer.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        }
    }

    private static string Body(string prompt) => $$"""{"prompt": {{JsonSerializer.Serialize(prompt)}}, "max_tokens": 2}""";

    private static int Cached(JsonElement answer) =>
        answer.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
}
