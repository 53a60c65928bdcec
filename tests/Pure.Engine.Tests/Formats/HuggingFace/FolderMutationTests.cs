using System.Text;
using System.Text.RegularExpressions;
using Pure.Engine.Formats;
using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Models;
using Pure.Engine.Tests.Formats.Safetensors;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>
/// Damaged headers, configurations and indexes: whatever the bytes, the answer is a model or one sentence. A failure names its seed.
/// More inputs than the usual few thousand: <c>PURE_MUTATIONS=200000</c> before the test command.
/// </summary>
public partial class FolderMutationTests(ITestOutputHelper output)
{
    private const int UsualCount = 2_000;

    /// <summary>Most managed memory that a refusal or a load of these tiny models may take.</summary>
    private const long MostBytes = 512L << 20;

    [Fact]
    public void Every_damaged_header_is_read_or_refused_in_one_sentence()
    {
        byte[][] seeds = [.. FolderRefusalTests.Folders().Select(folder => folder.Weights.Build())];
        Mutate(20, seed =>
        {
            var random = new Random(seed);
            byte[] file = seeds[random.Next(seeds.Length)];
            int header = (int)BitConverter.ToUInt64(file);
            byte[] damaged = SafetensorsBuilder.Of(JsonMutation.Of(file[8..(8 + header)], random), file[(8 + header)..]);
            if (random.Next(10) == 0)
                damaged[random.Next(8)] ^= (byte)(1 << random.Next(8));
            if (random.Next(10) == 0)
                damaged = damaged[..random.Next(damaged.Length)];
            using var memory = Quantization.Bytes.Of(damaged);
            using var read = SafetensorsFile.Parse(memory.View, "test.safetensors");
            foreach (SafetensorsTensor tensor in read.Tensors)
                Assert.Equal(tensor.Data.Length, tensor.Shape.Aggregate((long)tensor.Type.Bytes(), (product, size) => product * size));
        });
    }

    [Fact]
    public void Every_damaged_configuration_is_read_or_refused_in_one_sentence()
    {
        using var folders = new TemporaryFolder();
        List<(string Path, byte[] Config)> seeds = [];
        foreach ((string config, SafetensorsBuilder weights) in FolderRefusalTests.Folders())
            seeds.Add(Copy(Encoding.UTF8.GetBytes(config), path => File.WriteAllBytes(Path.Combine(path, "model.safetensors"), weights.Build())));
        foreach (string folder in SharedFolders())
        {
            seeds.Add(Copy(File.ReadAllBytes(Path.Combine(folder, "config.json")), path =>
            {
                foreach (string file in Directory.GetFiles(folder, "*model*.safetensors*"))
                    File.Copy(file, Path.Combine(path, Path.GetFileName(file)));
            }));
        }

        Mutate(20, seed =>
        {
            var random = new Random(seed);
            (string path, byte[] config) = seeds[random.Next(seeds.Count)];
            File.WriteAllBytes(Path.Combine(path, "config.json"), JsonMutation.Of(config, random));
            Load(path);
        });

        (string Path, byte[] Config) Copy(byte[] config, Action<string> fill)
        {
            string path = Directory.CreateDirectory(Path.Combine(folders.Path, $"{seeds.Count}")).FullName;
            fill(path);
            return (path, config);
        }
    }

    [Fact]
    public void Every_folder_with_damaged_files_is_read_or_refused_in_one_sentence()
    {
        byte[] generation = """
            {"bos_token_id": 1, "eos_token_id": [2, 3], "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.0,
             "repetition_penalty": 1.05, "transformers_version": "4.51.0"}
            """u8.ToArray();
        using var folder = new TemporaryFolder();
        (string Config, byte[] Weights)[] seeds = [.. FolderRefusalTests.Folders().Select(seed => (seed.Config, seed.Weights.Build()))];
        Mutate(20, seed =>
        {
            var random = new Random(seed);
            (string config, byte[] file) = seeds[random.Next(seeds.Length)];
            int header = (int)BitConverter.ToUInt64(file);
            folder.Write("config.json", Sometimes(Encoding.UTF8.GetBytes(config)));
            folder.Write("generation_config.json", Sometimes(generation));
            folder.Write("model.safetensors", SafetensorsBuilder.Of(Sometimes(file[8..(8 + header)]), file[(8 + header)..]));
            Load(folder.Path);

            byte[] Sometimes(byte[] json) => random.Next(2) == 0 ? JsonMutation.Of(json, random) : json;
        });
    }

    private static void Load(string path)
    {
        ModelFile file = ModelFile.Open(path);
        try
        {
            using var model = Model.Load(file, new ModelOptions { Threads = 1, MaxBatchRows = 2 });
        }
        finally
        {
            file.Dispose();
        }
    }

    private void Mutate(int atLeastPerMille, Action<int> attempt)
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("PURE_MUTATIONS"), out int wished) ? wished : UsualCount;
        int read = 0;
        var refusals = new Dictionary<string, int>();
        for (int seed = 0; seed < count; seed++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                attempt(seed);
                read++;
            }
            catch (Exception refusal) when (refusal is ModelFormatException or InvalidRequestException)
            {
                Refusal.Check(refusal.Message);
                string kind = Particulars().Replace(refusal.Message, "…");
                refusals[kind] = refusals.GetValueOrDefault(kind) + 1;
            }
            catch (Exception other)
            {
                throw new InvalidOperationException($"Seed {seed}", other);
            }

            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostBytes, $"Seed {seed} took too much memory.");
        }

        output.WriteLine($"{count} inputs, {read} read, {count - read} refused in {refusals.Count} ways");
        foreach (var (kind, times) in refusals.OrderByDescending(pair => pair.Value).Take(80))
            output.WriteLine($"{times,8} {kind}");

        // The mutations must reach past the first checks, and some must be harmless.
        Assert.InRange(read, Math.Max(1, count * atLeastPerMille / 1000), count * 95 / 100);
        Assert.True(refusals.Count > 15, $"Only {refusals.Count} kinds of refusal were reached.");
    }

    /// <summary>More families, where the public fixtures lie beside the clone.</summary>
    private static IEnumerable<string> SharedFolders()
    {
        string root = Path.Combine(Repository.Root, "..", "shared", "data");
        string[] folders =
        [
            "hf-dense/tiny_gemma3", "hf-moe/tiny_deepseek_v2_yarn", "hf-moe/tiny_gpt_oss_mxfp4", "hf-moe/tiny_granitemoeshared",
            "hf-moe/tiny_olmoe", "hf-moe/tiny_qwen3_moe",
        ];
        return folders
            .Select(name => Path.Combine(root, name))
            .Where(Directory.Exists);
    }

    /// <summary>What differs between two refusals of one kind: names, paths and numbers.</summary>
    [GeneratedRegex(@"'.*'|/\S+|[0-9]+")]
    private static partial Regex Particulars();
}
