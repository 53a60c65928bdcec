#pragma warning disable xUnit1051 // the tests are short
using System.Text.Json;
using Pure.Serve.Http;

namespace Pure.Serve.Tests.Http;

public sealed class OtherEndpointTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task The_model_is_listed_and_found_by_its_name()
    {
        JsonElement list = await server.GetAsync("/v1/models");
        JsonElement card = Assert.Single(list.GetProperty("data").EnumerateArray());
        Assert.Equal("list", list.GetProperty("object").GetString());
        Assert.Equal(RunningServer.ModelId, card.GetProperty("id").GetString());
        Assert.Equal("model", card.GetProperty("object").GetString());
        Assert.Equal(512, card.GetProperty("max_model_len").GetInt32());
        Assert.Equal(2048, card.GetProperty("meta").GetProperty("n_vocab").GetInt32());
        Assert.Equal(card.GetRawText(), (await server.GetAsync($"/v1/models/{RunningServer.ModelId}")).GetRawText());
    }

    [Theory]
    [InlineData("Once upon a time")]
    [InlineData("<|user|>Hé 🐈 <|assistant|>")]
    [InlineData("")]
    public async Task Tokenize_and_detokenize_are_the_tokenizers(string text)
    {
        JsonElement ids = (await server.PostAsync("/tokenize", $"{{\"content\": {JsonSerializer.Serialize(text)}}}")).GetProperty("tokens");
        Assert.Equal(server.Model.Tokenizer.Encode(text, addSpecial: false), ids.EnumerateArray().Select(id => id.GetInt32()));
        JsonElement back = await server.PostAsync("/detokenize", $"{{\"tokens\": {ids.GetRawText()}}}");
        Assert.Equal(text, back.GetProperty("content").GetString());
    }

    [Fact]
    public async Task Tokenize_adds_parses_and_shows_pieces_as_asked()
    {
        JsonElement whole = await server.PostAsync("/tokenize", "{\"content\": \"Once\", \"add_special\": true}");
        Assert.Equal("[0,439]", whole.GetProperty("tokens").GetRawText());
        JsonElement plain = await server.PostAsync("/tokenize", "{\"content\": \"<|user|>\", \"parse_special\": false}");
        Assert.True(plain.GetProperty("tokens").GetArrayLength() > 1);
        JsonElement pieces = (await server.PostAsync("/tokenize", "{\"content\": \"Once é\", \"with_pieces\": true}")).GetProperty("tokens");
        Assert.Equal("{\"id\":439,\"piece\":\"Once\"}", pieces[0].GetRawText());
        Assert.Equal("[195]", pieces[2].GetProperty("piece").GetRawText());
    }

    [Fact]
    public async Task A_server_is_alive_before_it_is_ready()
    {
        await using RunningServer empty = await RunningServer.StartEmptyAsync();
        Assert.Equal("ok", (await empty.GetAsync("/health/live")).GetProperty("status").GetString());
        foreach (string path in new[] { "/health", "/health/ready" })
        {
            JsonElement error = (await empty.GetAsync(path, status: 503)).GetProperty("error");
            Assert.Equal(("Loading model", 503), (error.GetProperty("message").GetString(), error.GetProperty("code").GetInt32()));
            Assert.Equal("ok", (await server.GetAsync(path)).GetProperty("status").GetString());
        }

        RefusalTests.AssertError(await empty.GetAsync("/v1/models", status: 503), null, "loading");
        using HttpResponseMessage response = await empty.SendAsync(HttpMethod.Post, "/v1/completions", "{\"prompt\": \"a\"}");
        Assert.Equal((503, TimeSpan.FromSeconds(1)), ((int)response.StatusCode, response.Headers.RetryAfter!.Delta!.Value));
    }

    [Fact]
    public async Task Keys_open_everything_but_health_needs_none()
    {
        await using RunningServer locked = await RunningServer.StartAsync(new ServerOptions { Keys = Keys("sesame", "other") });
        string?[] wrong = [null, "", "Bearer", "Bearer ", "Bearer sesam", "Bearer sesamee", "Basic sesame", "sesame", "Bearer SESAME"];
        foreach (string? header in wrong)
        {
            using HttpResponseMessage refused = await Ask(header);
            Assert.Equal(401, (int)refused.StatusCode);
            Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
            RefusalTests.AssertError(RunningServer.Parse(await refused.Content.ReadAsStringAsync()), null, "invalid_api_key");
        }

        foreach (string header in new[] { "Bearer sesame", "bearer other" })
        {
            using HttpResponseMessage opened = await Ask(header);
            Assert.Equal(200, (int)opened.StatusCode);
        }

        using HttpResponseMessage byOtherName = await locked.SendAsync(HttpMethod.Get, "/v1/models", headers: ("x-api-key", "sesame"));
        Assert.Equal(200, (int)byOtherName.StatusCode);
        await locked.GetAsync("/health");
        await locked.GetAsync("/no/such/path", status: 401);
        Assert.DoesNotContain("sesame", string.Concat(locked.Log), StringComparison.OrdinalIgnoreCase);

        Task<HttpResponseMessage> Ask(string? header) =>
            locked.SendAsync(HttpMethod.Get, "/v1/models", headers: header is null ? [] : [("Authorization", header)]);
    }

    [Fact]
    public async Task A_request_keeps_its_id_and_its_text_stays_out_of_the_log()
    {
        await using RunningServer own = await RunningServer.StartAsync(new ServerOptions());
        using HttpResponseMessage named = await own.SendAsync(
            HttpMethod.Post, "/v1/completions", "{\"prompt\": \"A secret\", \"max_tokens\": 4}", headers: ("x-request-id", "abc-1.2_3"));
        Assert.Equal(["abc-1.2_3"], named.Headers.GetValues("x-request-id"));
        await named.Content.ReadAsStringAsync();
        foreach (string bad in new[] { "a b", "a\"b", new string('x', 200) })
        {
            using HttpResponseMessage renamed = await own.SendAsync(HttpMethod.Get, "/secret/path", headers: ("x-request-id", bad));
            Assert.StartsWith("req-", renamed.Headers.GetValues("x-request-id").Single(), StringComparison.Ordinal);
        }

        await own.GetAsync("/health");
        await RunningServer.UntilAsync(() => own.Log.Length >= 4);
        Assert.Equal(4, own.Log.Length);
        Assert.Matches(
            @"^time=\S+Z request=abc-1\.2_3 method=POST route=/v1/completions status=200 "
            + @"prompt_tokens=\d+ completion_tokens=4 first_token_ms=[\d.]+ duration_ms=[\d.]+$",
            own.Log[0]);
        Assert.Matches(@"request=req-\w+ method=GET route=- status=404 duration_ms=[\d.]+$", own.Log[1]);
        Assert.DoesNotContain("secret", string.Concat(own.Log), StringComparison.OrdinalIgnoreCase);
    }

    private static ApiKeys Keys(params string[] keys) =>
        ApiKeys.Read(keys, null, null, new CommandStreams(Stream.Null, Stream.Null, Stream.Null));
}
