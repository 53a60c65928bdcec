using System.Text;
using Pure.Chat.Templates;
using Pure.Engine;

namespace Pure.Chat.Tests;

/// <summary>
/// Damaged files of words beside a model: the folder writes and renders, or is refused in one sentence. A failure names its seed;
/// PURE_MUTATIONS sets how many.
/// </summary>
public sealed class FolderMutationTests(ITestOutputHelper output)
{
    private const int UsualCount = 500;

    private static readonly string[] Splices =
    [
        "null", "true", "false", "0", "-1", "1e999", "0.5", "2", "5", "7", "99999", "9223372036854775808", "\"\"", "\"\\ud800\"", "\"<s>\"", "[]", "{}",
        "[[[[[[[[", "{\"a\":", "}", "]", ",", ":", "\"", "\\", "\0", "\u00A0", "{{", "}}", "{%", "%}", "(", ")", "|", "messages", " if ",
        "\"name\": \"default\"", "\"content\"", "\"chat_template\":",
    ];

    private static readonly Dictionary<string, string> Files = new()
    {
        ["tokenizer_config.json"] = """
            {"add_bos_token": true, "add_eos_token": false, "bos_token": {"content": "<s>", "lstrip": false, "special": true},
             "chat_template": [{"name": "default", "template": "{% for m in messages %}{{ m['role'] + m.content }}{% endfor %}"},
              {"name": "tool_use", "template": "{{ bos_token }}{{ messages[0].content | trim }}"}],
             "clean_up_tokenization_spaces": false, "eos_token": "</s>", "pad_token": null, "unk_token": "<pad>"}
            """,
        ["generation_config.json"] = """
            {"bos_token_id": 5, "eos_token_id": [6, 7], "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.0,
             "repetition_penalty": 1.05}
            """,
        ["chat_template.json"] = """{"chat_template": "{{ messages[0].content }}{{ eos_token }}"}""",
        ["chat_template.jinja"] = "{{ bos_token }}{% for m in messages if m.role == 'user' %}{{ m.content | upper }}{% endfor %}",
        ["tokenizer.json"] = """
            {"version": "1.0", "decoder": {"type": "Fuse"}, "model": {"type": "BPE", "merges": [], "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}},
             "added_tokens": [{"id": 5, "content": "<s>", "special": true}, {"id": 6, "content": "</s>", "special": true},
              {"id": 7, "content": "<pad>", "special": true}]}
            """,
    };

    [Fact]
    public async Task Every_folder_with_damaged_words_is_used_or_refused_in_one_sentence()
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("PURE_MUTATIONS"), out int wished) ? wished : UsualCount;
        using var folder = new TinyFolder();
        (int used, int refused) = (0, 0);
        for (int seed = 0; seed < count; seed++)
        {
            var random = new Random(seed);
            foreach ((string name, string text) in Files)
            {
                // The template's own file hides the others.
                if (name == "chat_template.jinja" && random.Next(3) > 0)
                    File.Delete(folder.Path(name));
                else
                    folder.Write(name, random.Next(3) == 0 ? Mutate(text, random) : Encoding.UTF8.GetBytes(text));
            }

            try
            {
                await Use(folder.Root, withTools: random.Next(2) == 0);
                used++;
            }
            catch (Exception refusal) when (refusal is ModelFormatException or InvalidRequestException or TemplateException)
            {
                refused++;
                if (refusal is TemplateException { IsRaisedByTemplate: true })
                    continue;
                Assert.False(refusal.Message.Contains('\n', StringComparison.Ordinal), $"Seed {seed}: {refusal.Message}");
                Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
            }
            catch (Exception other)
            {
                throw new InvalidOperationException($"Seed {seed}", other);
            }
        }

        output.WriteLine($"{count} folders, {used} used, {refused} refused");
        Assert.InRange(used, count / 20, count * 19 / 20);
    }

    private static async Task Use(string folder, bool withTools)
    {
        using var model = LanguageModel.Load(folder, new() { Threads = 1, MaxBatchRows = 16 });
        string prompt = "ab";
        if (ModelTemplate.Find(model, withTools) is { } template)
            prompt = template.Render([new ChatMessage("user", "ab")], new RenderOptions { MaxSteps = 10_000, MaxCharacters = 100_000 });
        await foreach (string _ in model.GenerateAsync(prompt, new TextOptions { MaxTokens = 3, Seed = 1 }, TestContext.Current.CancellationToken))
            continue;
    }

    private static byte[] Mutate(string text, Random random)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int left = random.Next(1, 4); left > 0; left--)
        {
            int at = random.Next(bytes.Length + 1);
            int end = Math.Min(bytes.Length, at + random.Next(12));
            bytes = random.Next(6) switch
            {
                0 => [.. bytes[..at], (byte)random.Next(256), .. bytes[Math.Min(bytes.Length, at + 1)..]],
                1 => [.. bytes[..at], .. bytes[end..]],
                2 => [.. bytes[..at], .. bytes[random.Next(bytes.Length + 1)..]],
                _ => Value(bytes, at, random),
            };
        }

        return bytes;
    }

    /// <summary>Puts something else between two of JSON's marks.</summary>
    private static byte[] Value(byte[] bytes, int at, Random random)
    {
        int begin = at + bytes.AsSpan(at).IndexOfAny(":,["u8) + 1;
        int length = bytes.AsSpan(begin).IndexOfAny(",]}"u8);
        return [.. bytes[..begin], .. Encoding.UTF8.GetBytes(Splices[random.Next(Splices.Length)]), .. bytes[(begin + Math.Max(0, length))..]];
    }
}
