#pragma warning disable xUnit1051 // the test has a bound of its own
using System.Text;

namespace Pure.Serve.Tests.Http;

/// <summary>Bodies with a byte changed, dropped or doubled here and there: whatever comes of it, the status is a documented one.</summary>
public sealed class MutationTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string Common =
        "\"temperature\": 0.7, \"top_p\": 0.9, \"seed\": 7, \"max_tokens\": 2, "
        + "\"stop\": [\"a\", \"\\u00e9\"], \"logit_bias\": {\"12\": -3.5}, \"stream\": false}";

    [Theory]
    [InlineData("/v1/completions", "{\"prompt\": \"Once upon\", \"echo\": true, \"n\": 1, " + Common)]
    [InlineData("/v1/completions", "{\"prompt\": [[1, 2], [300]], \"logprobs\": 2, " + Common)]
    [InlineData(
        "/v1/chat/completions",
        "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"Hi \\ud83d\\ude00\"}]}], "
            + "\"logprobs\": true, \"top_logprobs\": 1, " + Common)]
    [InlineData("/tokenize", "{\"content\": \"Once upon\", \"add_special\": true, \"with_pieces\": true}")]
    [InlineData("/detokenize", "{\"tokens\": [1, 2, 300]}")]
    public async Task A_mutated_body_gets_a_documented_status(string path, string body)
    {
        var random = new Random(20261130);
        byte[] original = Encoding.UTF8.GetBytes(body);
        var seen = new HashSet<int>();
        for (int round = 0; round < 300; round++)
        {
            using var content = new ByteArrayContent(Mutate(original, random));
            using HttpResponseMessage response = await server.Client.PostAsync(path, content);
            Assert.Contains((int)response.StatusCode, new[] { 200, 400, 404 });
            seen.Add((int)response.StatusCode);
            Assert.NotEqual('\0', (await response.Content.ReadAsStringAsync())[0]);
        }

        Assert.Contains(200, seen);
        Assert.Contains(400, seen);
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        List<byte> bytes = [.. original];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] = (byte)"0123456789-\"{}[],:.eu\\"[random.Next(22)];
                    break;
                case 2:
                    bytes.RemoveAt(at);
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)));
                    break;
            }
        }

        return [.. bytes];
    }
}
