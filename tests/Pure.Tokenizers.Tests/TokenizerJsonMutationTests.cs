using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace Pure.Tokenizers.Tests;

/// <summary>Damaged <c>tokenizer.json</c> files: either a <see cref="TokenizerException"/> with one sentence, or a tokenizer
/// whose ids are ids and decode.</summary>
public sealed class TokenizerJsonMutationTests
{
    /// <summary>How many inputs; the environment can ask for more than a test run should take.</summary>
    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("PURE_MUTATIONS"), out int rounds) ? rounds : 3000;

    private static readonly string[] Values =
    [
        "null", "true", "\"\"", "\"a\"", "0", "-1", "1e9", "2147483647", "1e400", "0.5", "[]", "{}", "[[]]", "\"\\ud800\"", "\"</w>\"",
        "\"(a+)+$\"", "\"(?<=a)\\\\s+(?!\\\\S)\"", "\"[\"", "\"a{1,99999}\"", "\"BPE\"", "\"Unigram\"", "\"WordPiece\"", "\"Sequence\"", "\"ByteLevel\"",
        "{\"type\":\"NFKD\"}", "{\"type\":\"Metaspace\"}", "{\"Regex\":\"a*?|b++|(c|d)?+\"}", "{\"String\":\" \"}", "\"MergedWithNext\"", "\"Contiguous\"", "\"Removed\"",
    ];

    [Fact]
    public void Damaged_files_are_refused_or_work()
    {
        string[] sources = [.. TinyTokenizers.Names.Select(kind => TinyTokenizers.Build(kind).ToJsonString())];
        int refused = 0;
        var slowest = (Time: TimeSpan.Zero, Seed: 0);
        for (int seed = 0; seed < Rounds; seed++)
        {
            long begin = Stopwatch.GetTimestamp();
            var random = new Random(seed);
            string source = sources[random.Next(sources.Length)];
            byte[] damaged = random.Next(3) == 0 ? DamageBytes(source, random) : DamageValues(source, random);
            try
            {
                Use(TokenizerJson.Create(damaged), random);
            }
            catch (TokenizerException refusal)
            {
                refused++;
                Assert.True(refusal.Message.EndsWith('.') && refusal.Message.Length < 1000, $"seed {seed}: {refusal.Message}");
            }
            catch (Exception crash)
            {
                Assert.Fail($"seed {seed}: {crash}");
            }
            var time = Stopwatch.GetElapsedTime(begin);
            slowest = time > slowest.Time ? (time, seed) : slowest;
        }
        using var process = Process.GetCurrentProcess();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Rounds} files, {refused} refused; the slowest took {slowest.Time} (seed {slowest.Seed}); {process.PeakWorkingSet64 >> 20} MiB at most");
        Assert.InRange(refused, Rounds / 20, Rounds - Rounds / 20);
    }

    [Fact]
    public void Damaged_configurations_are_refused_or_work()
    {
        const string Source = """{"bos_token":{"content":"<s>"},"eos_token":"</s>","add_bos_token":true,"chat_template":[{"name":"default","template":"{{ x }}"}]}""";
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            try
            {
                TokenizerConfig.Read(random.Next(2) == 0 ? DamageBytes(Source, random) : DamageValues(Source, random));
            }
            catch (TokenizerException refusal)
            {
                Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
            }
        }
    }

    private static void Use(Tokenizer tokenizer, Random random)
    {
        int[] ids = tokenizer.Encode(RandomText.Next(random, 40), random.Next(2) == 0, random.Next(2) == 0);
        Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
        Assert.NotNull(tokenizer.Decode(ids, random.Next(2) == 0));
        var decoder = new StreamingDecoder(tokenizer);
        for (int count = 0; count < 10; count++)
            decoder.Append(random.Next(tokenizer.VocabularySize));
        decoder.Flush();
    }

    private static byte[] DamageBytes(string source, Random random)
    {
        List<byte> bytes = [.. Encoding.UTF8.GetBytes(source)];
        for (int count = random.Next(1, 4); count > 0; count--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveRange(at, Math.Min(random.Next(1, 30), bytes.Count - at)); break;
                case 2: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 60), bytes.Count - at))); break;
                default: bytes[at] = (byte)"\"{}[],:\\0-"[random.Next(10)]; break;
            }
            if (bytes.Count == 0)
                break;
        }
        return [.. bytes];
    }

    /// <summary>Puts other values in the place of some, drops some and moves some about: still JSON, but not the same.</summary>
    private static byte[] DamageValues(string source, Random random)
    {
        var root = JsonNode.Parse(source)!;
        for (int count = random.Next(1, 4); count > 0; count--)
        {
            var node = root;
            while (true)
            {
                List<JsonNode?> children = node switch
                {
                    JsonObject item => [.. item.Select(property => property.Value)],
                    JsonArray list => [.. list],
                    _ => [],
                };
                if (children.Count == 0 || random.Next(6) == 0)
                    break;
                node = children[random.Next(children.Count)] ?? node;
                if (node is JsonValue || children.All(child => child is null))
                    break;
            }
            string other = random.Next(3) == 0 ? Values[random.Next(Values.Length)] : root[random.Next(2) == 0 ? "model" : "decoder"]?.ToJsonString() ?? "7";
            if (random.Next(2) == 0)
                other = Values[random.Next(Values.Length)];
            if (node.Parent is JsonObject parent && random.Next(5) == 0)
                parent.Remove(node.GetPropertyName());
            else if (node.Parent is not null)
                node.ReplaceWith(System.Text.Json.JsonSerializer.Deserialize<JsonNode?>(Unpaired(other)));
        }
        return Encoding.UTF8.GetBytes(root.ToJsonString());

        // JsonNode refuses unpaired surrogates on writing.
        static string Unpaired(string value) => value.Contains("ud800", StringComparison.Ordinal) ? "\"\\ufffe\"" : value;
    }
}
