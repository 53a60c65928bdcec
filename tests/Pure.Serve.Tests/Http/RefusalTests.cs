#pragma warning disable xUnit1051 // the tests are short
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Pure.Serve.Http;

namespace Pure.Serve.Tests.Http;

public sealed class RefusalTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string Chat = "/v1/chat/completions";
    private const string Completions = "/v1/completions";

    public static TheoryData<string, string, string?, string> Bodies
    {
        get
        {
            var bodies = new TheoryData<string, string, string?, string>();

            // What either endpoint refuses.
            const string Hi = "\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]";
            foreach ((string path, string rest) in new[] { (Completions, "\"prompt\": \"Once\""), (Chat, Hi) })
            {
                Add("", null, "invalid_body", whole: true);
                Add("{", null, "invalid_body", whole: true);
                Add("[]", null, "invalid_body", whole: true);
                Add("\"text\"", null, "invalid_body", whole: true);
                Add("{} {}", null, "invalid_body", whole: true);
                Add(new string('[', 100_000), null, "invalid_body", whole: true);
                Add("{\"a\":" + new string('[', 70) + new string(']', 70) + "}", null, "invalid_body", whole: true);
                Add("\"temperature\": NaN", null, "invalid_body");
                Add("\"user\": \"\\ud800\"", null, "invalid_body");
                Add("\"user\": \"\\udc00\\ud800\"", null, "invalid_body");
                Add("\"\\ud800\": 1", null, "invalid_body");
                Add("\"temperature\": \"hot\"", "temperature", "invalid_type");
                Add("\"temperature\": true", "temperature", "invalid_type");
                Add("\"temperature\": [1]", "temperature", "invalid_type");
                Add("\"temperature\": -0.1", "temperature", "invalid_value");
                Add("\"temperature\": 1e308", "temperature", "invalid_value");
                Add("\"temperature\": 1e999", "temperature", "invalid_value");
                Add("\"top_p\": 1.5", "top_p", "invalid_value");
                Add("\"top_p\": -1", "top_p", "invalid_value");
                Add("\"top_k\": -2", "top_k", "invalid_value");
                Add("\"top_k\": 1.5", "top_k", "invalid_value");
                Add("\"min_p\": 2", "min_p", "invalid_value");
                Add("\"presence_penalty\": 1e308", "presence_penalty", "invalid_value");
                Add("\"frequency_penalty\": \"much\"", "frequency_penalty", "invalid_type");
                Add("\"repetition_penalty\": 0", "repetition_penalty", "invalid_value");
                Add("\"seed\": 1.5", "seed", "invalid_value");
                Add("\"seed\": \"x\"", "seed", "invalid_type");
                Add("\"seed\": 99999999999999999999", "seed", "invalid_value");
                Add("\"max_tokens\": -1", "max_tokens", "invalid_value");
                Add("\"max_tokens\": 1e308", "max_tokens", "invalid_value");
                Add("\"max_tokens\": \"many\"", "max_tokens", "invalid_type");
                Add("\"n\": 0", "n", "invalid_value");
                Add("\"n\": 1000000000", "n", "invalid_value");
                Add("\"stream\": 1", "stream", "invalid_type");
                Add("\"stream_options\": 1", "stream_options", "invalid_type");
                Add("\"stream_options\": {\"include_usage\": 1}", "stream_options.include_usage", "invalid_type");
                Add("\"stop\": 1", "stop", "invalid_type");
                Add("\"stop\": \"\"", "stop", "invalid_value");
                Add("\"stop\": [\"a\", \"\"]", "stop[1]", "invalid_value");
                Add("\"stop\": [\"a\", 2]", "stop[1]", "invalid_type");
                Add($"\"stop\": [{string.Join(',', Enumerable.Repeat("\"a\"", 10_000))}]", "stop", "invalid_value");
                Add($"\"stop\": \"{new string('a', 100_000)}\"", "stop", "invalid_value");
                Add("\"logit_bias\": []", "logit_bias", "invalid_type");
                Add("\"logit_bias\": {\"2048\": 1}", "logit_bias", "invalid_value");
                Add("\"logit_bias\": {\"-1\": 1}", "logit_bias", "invalid_value");
                Add("\"logit_bias\": {\"word\": 1}", "logit_bias", "invalid_value");
                Add("\"logit_bias\": {\"3\": 1e308}", "logit_bias.3", "invalid_value");
                Add("\"logit_bias\": {\"3\": \"1\"}", "logit_bias.3", "invalid_type");
                Add("\"model\": 3", "model", "invalid_type");
                Add("\"tools\": [{\"type\": \"function\"}]", "tools", "unsupported_parameter");
                Add("\"tool_choice\": \"required\"", "tool_choice", "unsupported_parameter");
                Add("\"functions\": [{}]", "functions", "unsupported_parameter");
                Add("\"response_format\": {\"type\": \"xml\"}", "response_format.type", "invalid_value");
                Add("\"response_format\": {\"type\": \"json_schema\", \"json_schema\": {}}", "response_format.json_schema.schema", "missing_required_parameter");
                Add("\"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"schema\": {\"type\": \"object\", \"if\": {}}}}", "response_format.json_schema.schema", "invalid_value");
                Add("\"response_format\": {\"type\": \"json_object\"}, \"guided_regex\": \"a\"", "guided_regex", "invalid_value");
                Add("\"response_format\": {\"type\": \"json_object\"}, \"ignore_eos\": true", "ignore_eos", "invalid_value");
                Add("\"response_format\": \"text\"", "response_format", "invalid_type");
                Add("\"response_format\": {}", "response_format.type", "missing_required_parameter");
                Add("\"modalities\": [\"text\", \"audio\"]", "modalities", "unsupported_parameter");
                Add("\"grammar\": \"root ::= x\"", "grammar", "invalid_value");
                Add("\"guided_json\": {\"type\": \"nothing\"}", "guided_json", "invalid_value");
                Add("\"guided_regex\": \"(a)\\\\1\"", "guided_regex", "invalid_value");
                Add("\"guided_choice\": [1]", "guided_choice[0]", "invalid_type");
                Add("\"best_of\": 3", "best_of", "unsupported_parameter");

                void Add(string parameters, string? param, string code, bool whole = false) =>
                    bodies.Add(path, whole ? parameters : $"{{{rest}, {parameters}}}", param, code);
            }

            foreach ((string body, string param, string code) in new[]
            {
                ("{}", "prompt", "missing_required_parameter"),
                ("{\"prompt\": null}", "prompt", "missing_required_parameter"),
                ("{\"prompt\": 1}", "prompt", "invalid_type"),
                ("{\"prompt\": {}}", "prompt", "invalid_type"),
                ("{\"prompt\": []}", "prompt", "invalid_value"),
                ("{\"prompt\": [[]]}", "prompt", "invalid_value"),
                ("{\"prompt\": [\"a\", 1]}", "prompt[1]", "invalid_type"),
                ("{\"prompt\": [1, \"a\"]}", "prompt[1]", "invalid_type"),
                ("{\"prompt\": [[1], \"a\"]}", "prompt[1]", "invalid_type"),
                ("{\"prompt\": [2048]}", "prompt[0]", "invalid_value"),
                ("{\"prompt\": [-1]}", "prompt[0]", "invalid_value"),
                ("{\"prompt\": [0.5]}", "prompt[0]", "invalid_value"),
                ("{\"prompt\": [[1, 99999999999]]}", "prompt[0][1]", "invalid_value"),
                ("{\"prompt\": \"a\", \"logprobs\": 21}", "logprobs", "invalid_value"),
                ("{\"prompt\": \"a\", \"logprobs\": true}", "logprobs", "invalid_type"),
                ("{\"prompt\": \"a\", \"logprobs\": 1, \"echo\": true}", "echo", "unsupported_parameter"),
                ("{\"prompt\": \"a\", \"echo\": 1}", "echo", "invalid_type"),
                ("{\"prompt\": \"a\", \"suffix\": \"b\"}", "suffix", "unsupported_parameter"),
                ("{\"prompt\": [\"a\", \"b\", \"c\"], \"n\": 100}", "n", "invalid_value"),
                ($"{{\"prompt\": \"{new string('a', 5000)}\"}}", "prompt", "context_length_exceeded"),
                ($"{{\"prompt\": \"{new string('a', 5_000_000)}\"}}", "prompt", "context_length_exceeded"),
                ($"{{\"prompt\": [\"a\", \"{new string('a', 5000)}\"], \"stream\": true}}", "prompt", "context_length_exceeded"),
                ($"{{\"prompt\": [{string.Join(',', Enumerable.Repeat(5, 513))}]}}", "prompt", "context_length_exceeded"),
            })
            {
                bodies.Add(Completions, body, param, code);
            }

            foreach ((string messages, string param, string code) in new[]
            {
                ($"[{{\"role\": \"user\", \"content\": \"{new string('a', 5_000_000)}\"}}]", "messages", "context_length_exceeded"),
                ("null", "messages", "missing_required_parameter"),
                ("\"Hi\"", "messages", "invalid_type"),
                ("[]", "messages", "invalid_value"),
                ("[1]", "messages[0]", "invalid_type"),
                ("[{}]", "messages[0].role", "missing_required_parameter"),
                ("[{\"role\": 1}]", "messages[0].role", "invalid_type"),
                ("[{\"role\": \"god\", \"content\": \"a\"}]", "messages[0].role", "invalid_value"),
                ("[{\"role\": \"user\"}]", "messages[0].content", "missing_required_parameter"),
                ("[{\"role\": \"user\", \"content\": null}]", "messages[0].content", "missing_required_parameter"),
                ("[{\"role\": \"user\", \"content\": 5}]", "messages[0].content", "invalid_type"),
                ("[{\"role\": \"user\", \"content\": [5]}]", "messages[0].content[0]", "invalid_type"),
                ("[{\"role\": \"user\", \"content\": [{\"type\": \"text\"}]}]", "messages[0].content[0].text", "missing_required_parameter"),
                (
                    "[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": {}}]}]",
                    "messages[0].content[0].type", "unsupported_parameter"),
                (
                    "[{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"tool_calls\": [{}]}]",
                    "messages[1].tool_calls", "unsupported_parameter"),
                ($"[{{\"role\": \"user\", \"content\": \"{new string('a', 5000)}\"}}]", "messages", "context_length_exceeded"),
            })
            {
                bodies.Add(Chat, $"{{\"messages\": {messages}}}", param, code);
            }

            bodies.Add(Chat, $"{{{Hi}, \"top_logprobs\": 2}}", "top_logprobs", "invalid_value");
            bodies.Add(Chat, $"{{{Hi}, \"logprobs\": true, \"top_logprobs\": 21}}", "top_logprobs", "invalid_value");
            bodies.Add(Chat, $"{{{Hi}, \"logprobs\": 2}}", "logprobs", "invalid_type");
            bodies.Add(Chat, $"{{{Hi}, \"max_completion_tokens\": 0}}", "max_completion_tokens", "invalid_value");
            bodies.Add("/tokenize", "{}", "content", "missing_required_parameter");
            bodies.Add("/tokenize", "{\"content\": 5}", "content", "invalid_type");
            bodies.Add("/detokenize", "{\"tokens\": \"x\"}", "tokens", "invalid_type");
            bodies.Add("/detokenize", "{\"tokens\": [1, 2048]}", "tokens[1]", "invalid_value");
            return bodies;
        }
    }

    [Theory, MemberData(nameof(Bodies), DisableDiscoveryEnumeration = true)]
    public async Task A_wrong_body_is_refused_by_the_name_of_what_is_wrong(string path, string body, string? param, string code) =>
        AssertError(await server.PostAsync(path, body, status: 400), param, code);

    [Theory]
    [InlineData(Completions)]
    [InlineData(Chat)]
    public async Task Bytes_that_are_no_utf8_are_refused(string path)
    {
        using var content = new ByteArrayContent([.. "{\"prompt\": \""u8, 0xFF, 0xC0, .. "\"}"u8]);
        using HttpResponseMessage response = await server.Client.PostAsync(path, content);
        Assert.Equal(400, (int)response.StatusCode);
        AssertError(RunningServer.Parse(await response.Content.ReadAsStringAsync()), null, "invalid_body");
    }

    [Fact]
    public async Task An_unknown_model_is_not_found()
    {
        foreach (string path in new[] { "/v1/models/gpt-9", "/v1/models/a/b" })
            AssertError(await server.GetAsync(path, status: 404), "model", "model_not_found");
        AssertError(await server.PostAsync(Completions, "{\"prompt\": \"a\", \"model\": \"gpt-9\"}", status: 404), "model", "model_not_found");
    }

    [Fact]
    public async Task Unknown_paths_and_wrong_methods_are_told_apart()
    {
        foreach (string path in new[] { "/v1", "/v2/models", "/v1/chat", "/v1/chat/completions/x", "/..%2f..%2fetc/passwd", "/health/other" })
            AssertError(await server.GetAsync(path, status: 404), null, "unknown_url");
        AssertError(await server.GetAsync(Chat, status: 405), null, "method_not_allowed");
        AssertError(await server.PostAsync("/v1/models", "{}", status: 405), null, "method_not_allowed");
        using HttpResponseMessage response = await server.SendAsync(HttpMethod.Delete, Completions);
        Assert.Equal(405, (int)response.StatusCode);
        Assert.Equal(["POST"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_too_large_however_it_is_sent()
    {
        await using RunningServer small = await RunningServer.StartAsync(new ServerOptions { MaxBody = 1000 });
        string body = $"{{\"prompt\": \"{new string('a', 2000)}\"}}";
        AssertError(await small.PostAsync(Completions, body, status: 413), null, "body_too_large");

        using var request = new HttpRequestMessage(HttpMethod.Post, Completions) { Content = new StringContent(body) };
        request.Headers.TransferEncodingChunked = true;
        using HttpResponseMessage response = await small.Client.SendAsync(request);
        Assert.Equal(413, (int)response.StatusCode);

        // A client that looks only when it has sent all.
        AssertError(await small.PostAsync(Completions, $"{{\"prompt\": \"{new string('a', 20_000_000)}\"}}", status: 413), null, "body_too_large");
        await small.PostAsync(Completions, "{\"prompt\": \"a\"}");
    }

    [Theory]
    [InlineData("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n")]
    [InlineData("POST /v1/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")]
    [InlineData("NONSENSE\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    public async Task A_request_that_is_no_http_is_a_400(string request)
    {
        string answer = await ExchangeAsync(Encoding.ASCII.GetBytes(request));
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Huge_headers_are_a_431()
    {
        string request = $"GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Long: {new string('a', 100_000)}\r\n\r\n";
        string answer = await ExchangeAsync(Encoding.ASCII.GetBytes(request));
        Assert.StartsWith("HTTP/1.1 431", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_breaks_off_takes_nobody_else_along()
    {
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(server.Client.BaseAddress!.Host, server.Client.BaseAddress.Port);
            await client.GetStream().WriteAsync("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{\"prompt\""u8.ToArray());
        }

        await server.PostAsync(Completions, "{\"prompt\": \"a\"}");
        await RunningServer.UntilAsync(() => server.Log.Any(line => line.Contains("status=499", StringComparison.Ordinal)
            || line.Contains("status=400", StringComparison.Ordinal))); // the end of the body is seen before that of the connection, or after
    }

    /// <summary>Sends bytes and reads what comes until the server closes, which resets the connection where it has not read them all.</summary>
    private async Task<string> ExchangeAsync(byte[] request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Client.BaseAddress!.Host, server.Client.BaseAddress.Port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(request);
        var answer = new byte[64];
        int read = await stream.ReadAtLeastAsync(answer, 12, throwOnEndOfStream: false);
        return Encoding.ASCII.GetString(answer, 0, read);
    }

    internal static void AssertError(JsonElement answer, string? param, string code)
    {
        JsonElement error = answer.GetProperty("error");
        Assert.Equal(param, error.GetProperty("param").GetString());
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.False(string.IsNullOrEmpty(error.GetProperty("type").GetString()));
        string message = error.GetProperty("message").GetString()!;
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        Assert.InRange(message.Length, 10, 300);
        foreach (string internals in new[] { "Exception", "   at ", "System.", "Pure.", ".cs" })
            Assert.DoesNotContain(internals, message, StringComparison.Ordinal);
    }
}
