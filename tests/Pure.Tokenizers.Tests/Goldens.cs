using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace Pure.Tokenizers.Tests;

/// <summary>Where expected results lie: the goldens in the repository, and larger ones beside it that not every machine
/// has.</summary>
internal static class Goldens
{
    private static readonly ConcurrentDictionary<string, Lazy<Tokenizer>> Loaded = new();

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "goldens");

    /// <summary>The vocabularies in the repository, made up for tests: each a GGUF file and a JSON file of texts with the ids
    /// and the decoded texts of llama.cpp.</summary>
    public static readonly string[] CommittedNames =
        [.. Directory.GetFiles(Folder, "*.gguf").Select(path => Path.GetFileNameWithoutExtension(path)).Order()];

    public static string Committed(string name, string extension) => Path.Combine(Folder, name + extension);

    public static Tokenizer CommittedTokenizer(string name) => Load(Committed(name, ".gguf"));

    public static Tokenizer Load(string path) =>
        Loaded.GetOrAdd(path, static p => new(() => Tokenizer.Create(GgufVocabulary.Read(p)))).Value;

    /// <summary>A file of the shared data, or the test is skipped.</summary>
    public static string Shared(params string[] path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Pure.sln")))
                continue;
            string file = Path.GetFullPath(Path.Combine([folder.FullName, "..", "shared", .. path]));
            Assert.SkipUnless(File.Exists(file), $"{file} is not there.");
            return file;
        }
        Assert.Skip("The tests do not run within the repository.");
        return "";
    }

    public static IEnumerable<GoldenCase> Cases(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        foreach (var item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            yield return new(
                Utf8(item, "utf8_hex"), Ids(item.GetProperty("plain")), Ids(item.GetProperty("special")), Utf8(item, "detokenized_hex"));
        }
        static string Utf8(JsonElement item, string key) =>
            Encoding.UTF8.GetString(Convert.FromHexString(item.GetProperty(key).GetString()!));
    }

    public static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}

internal sealed record GoldenCase(string Text, int[] Plain, int[] Special, string Detokenized);
