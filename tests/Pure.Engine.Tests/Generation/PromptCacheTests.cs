using Pure.Engine.Generation;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Generation;

/// <summary>What a session saves and another one restores.</summary>
public class PromptCacheTests
{
    private static readonly int[] Prompt = [.. Enumerable.Range(0, 150).Select(index => index * 31 % TinyFamily.Vocabulary)];

    [Theory]
    [InlineData("llama", CacheType.F16)]
    [InlineData("llama", CacheType.Q8_0)]
    [InlineData("gemma3", CacheType.F32)]
    [InlineData("deepseek2", CacheType.F16)]
    public void A_restored_prefix_gives_the_bits_of_reading_it(string family, CacheType type)
    {
        using Model model = Load(family, new ModelOptions { CacheType = type });
        byte[] file = Save(model, Prompt);
        int[] longer = [.. Prompt, 1, 2, 3];
        int[] branching = [.. Prompt.Take(70), 7, 7, 7, 7];
        foreach ((int[] prompt, int restored) in new[] { (Prompt, 149), (longer, 150), (branching, 70), ([.. Prompt.Take(64)], 63), ([5, 6], 0), ([0], 0) })
        {
            using var session = new Session(model, 200);
            Assert.Equal(150 + 3, session.Restore(new MemoryStream(file)));
            Assert.Equal(0, session.Length);
            Assert.Equal(Logits(model, prompt), Logits(session, prompt));
            Assert.Equal(restored, session.RestoredTokens);
        }
    }

    [Fact]
    public void Another_process_of_the_same_model_reads_it_and_a_short_context_takes_what_fits()
    {
        byte[] file;
        using (Model model = Load("llama"))
            file = Save(model, Prompt);
        using Model again = Load("llama", new ModelOptions { Threads = 3, MaxBatchRows = 7, Repack = false });
        using var session = new Session(again, 100);
        Assert.Equal(100, session.Restore(new MemoryStream(file)));
        int[] prompt = [.. Prompt.Take(90)];
        Assert.Equal(Logits(again, prompt), Logits(session, prompt));
        Assert.Equal(89, session.RestoredTokens);
    }

    [Fact]
    public void Saving_what_was_restored_gives_the_same_file()
    {
        using Model model = Load("deepseek2");
        byte[] file = Save(model, Prompt);
        using var session = new Session(model, 200);
        session.Restore(new MemoryStream(file));
        Write(session, Prompt, 4);
        using var again = new MemoryStream();
        session.Save(again);
        Assert.Equal(file, again.ToArray());
    }

    [Fact]
    public void Whatever_changes_bits_makes_it_another_models()
    {
        byte[] file;
        using (Model model = Load("llama"))
            file = Save(model, Prompt);
        foreach (ModelOptions options in new ModelOptions[]
        {
            new() { Activations = ActivationType.F32 }, new() { CacheType = CacheType.BF16 }, new() { Rope = new RopeOptions { Factor = 2 } },
            new() { Rope = new RopeOptions { FrequencyBase = 10001 } },
        })
        {
            using Model other = Load("llama", options);
            Refused(other, file, "another model");
        }

        using (Model other = Load("qwen3"))
            Refused(other, file, "another model");
        using MemoryModelFile changed = TinyFamily.Create("llama", ElementType.Q8_0);
        changed.Set("llama.attention.layer_norm_rms_epsilon", 1e-5);
        using (Model other = Model.Load(changed, new ModelOptions { Threads = 1 }))
            Refused(other, file, "another model");
        using MemoryModelFile spoiled = TinyFamily.Create("llama", ElementType.Q8_0);
        spoiled.Bytes("output.weight")[100] ^= 1;
        using (Model other = Model.Load(spoiled, new ModelOptions { Threads = 1 }))
            Refused(other, file, "another model");
    }

    /// <summary>Seeded damage: bits turned, bytes lost, doubled, put in or cut off.</summary>
    [Fact]
    public void Every_damage_is_one_sentence_and_leaves_the_session_usable()
    {
        using Model model = Load("llama");
        byte[] file = Save(model, Prompt);
        using var session = new Session(model, 200);
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            List<byte> bytes = [.. file];
            int at = random.Next(2) == 0 ? random.Next(64) : random.Next(bytes.Count);
            int count = random.Next(1, 40);
            switch (random.Next(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes.RemoveRange(at, Math.Min(count, bytes.Count - at)); break;
                case 2: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(count, bytes.Count - at))); break;
                case 3: bytes.RemoveRange(at, bytes.Count - at); break;
                default: bytes.AddRange(new byte[count]); break;
            }

            if (bytes.SequenceEqual(file))
                continue;
            string message = Assert.Throws<ModelFormatException>(() => session.Restore(new MemoryStream([.. bytes]))).Message;
            Assert.True(message.EndsWith("remove it or name another file.", StringComparison.Ordinal) && !message.Contains('\n'), $"Seed {seed}: {message}");
        }

        Assert.Equal(Logits(model, Prompt), Logits(session, Prompt));
        Assert.Equal(0, session.RestoredTokens);
    }

    [Fact]
    public void Only_an_empty_session_is_restored()
    {
        using Model model = Load("llama");
        byte[] file = Save(model, Prompt);
        using var session = new Session(model, 200);
        Write(session, [1, 2], 1);
        Assert.Throws<InvalidOperationException>(() => session.Restore(new MemoryStream(file)));
        session.Clear();
        session.Restore(new MemoryStream(file));
    }

    private static void Refused(Model model, byte[] file, string fact)
    {
        using var session = new Session(model, 200);
        Assert.Contains(fact, Assert.Throws<ModelFormatException>(() => session.Restore(new MemoryStream(file))).Message, StringComparison.Ordinal);
    }

    /// <summary>The prompt and three of four tokens after it: the fourth is chosen and not read.</summary>
    private static byte[] Save(Model model, int[] prompt)
    {
        using var session = new Session(model, 200);
        Write(session, prompt, 4);
        using var file = new MemoryStream();
        session.Save(file);
        return file.ToArray();
    }

    private static float[] Logits(Model model, int[] prompt)
    {
        using var session = new Session(model, 200);
        return Logits(session, prompt);
    }

    private static float[] Logits(Session session, int[] prompt)
    {
        var logits = new List<float>();
        Write(session, prompt, 3, (_, row) => logits.AddRange(row));
        return [.. logits];
    }

    private static void Write(Session session, int[] prompt, int count, LogitsObserver? observer = null)
    {
        using Completion completion = session.Generate(
            prompt, new GenerationOptions { MaxTokens = count, Sampling = new SamplingOptions { Temperature = 0 }, LogitsObserver = observer });
        while (completion.TryNext(out _))
        {
        }
    }

    private static Model Load(string family, ModelOptions? options = null) => Model.Load(
        TinyFamily.Create(family, ElementType.Q8_0), options ?? new ModelOptions { Threads = 1 });
}
