using Pure.Engine.Formats.Gguf;

namespace Pure.Engine.Tests.Formats;

/// <summary>Models in several files.</summary>
public class GgufSplitTests
{
    [Fact]
    public void A_split_model_has_the_tensors_of_the_whole_one()
    {
        using var whole = GgufFile.Open(Shared.Path("goldens", "models", "llama-gqa.gguf"));
        using var split = GgufFile.Open(Shared.Path("goldens", "models", "llama-gqa-shard-00001-of-00003.gguf"));

        Assert.Equal(whole.Tensors.Count, split.Tensors.Count);
        foreach (var tensor in whole.Tensors)
        {
            Assert.True(split.TryGetTensor(tensor.Name, out var other));
            Assert.Equal(tensor.Shape, other.Shape);
            Assert.Equal(tensor.Type, other.Type);
            Assert.True(tensor.Data.AsSpan(0, (int)tensor.Data.Length).SequenceEqual(other.Data.AsSpan(0, (int)other.Data.Length)));
        }

        Assert.Equal("llama", split.Metadata.GetString("general.architecture"));
        Assert.Equal(3, split.Tensors.Select(tensor => tensor.File).Distinct().Count());
        Assert.Equal(261952 + 197888 + 230464, split.FileBytes);
    }

    [Fact]
    public void The_parts_of_a_small_model_are_joined()
    {
        using var folder = new TemporaryFolder();
        string first = Write(folder, 0);
        Write(folder, 1);
        using var file = GgufFile.Open(first);
        Assert.Equal(["t0", "t1"], file.Tensors.Select(tensor => tensor.Name));
    }

    [Fact]
    public void The_first_part_is_asked_for_when_another_is_given()
    {
        using var folder = new TemporaryFolder();
        Write(folder, 0);
        string second = Write(folder, 1);
        Refusal.Of(() => GgufFile.Open(second), "m-00002-of-00002.gguf", "not the first", "give the first, m-00001-of-00002.gguf");
    }

    [Fact]
    public void A_missing_part_is_named()
    {
        using var folder = new TemporaryFolder();
        string first = Write(folder, 0);
        Refusal.Of(() => GgufFile.Open(first), "m-00002-of-00002.gguf", "no such file");
    }

    [Fact]
    public void A_name_that_disagrees_with_the_keys_is_refused()
    {
        using var folder = new TemporaryFolder();
        Refusal.Of(() => GgufFile.Open(folder.Write("m.gguf", Part(0, 2, 2))), "one of the 2 parts", "-00001-of-00002.gguf");
        Refusal.Of(
            () => GgufFile.Open(folder.Write("m-00001-of-00003.gguf", Part(0, 2, 2))),
            "by its name the model has 3 parts", "'split.count' 2");
        Refusal.Of(
            () => GgufFile.Open(folder.Write("n-00001-of-00003.gguf", new GgufBuilder().Key("k", 1).Build())),
            "by its name the model has 3 parts", "'split.count' 0");
        Refusal.Of(
            () => GgufFile.Open(folder.Write("m-00001-of-00002.gguf", Part(1, 2, 2))), "'split.no' is 1", "expected 0 in part 1 of 2");
    }

    [Fact]
    public void Parts_that_do_not_belong_together_are_refused()
    {
        using var folder = new TemporaryFolder();
        string first = Write(folder, 0);
        folder.Write("m-00002-of-00002.gguf", Part(0, 2, 2));
        Refusal.Of(() => GgufFile.Open(first), "m-00002-of-00002.gguf", "'split.no' is 0", "expected 1", "part 2 of 2");
        folder.Write("m-00002-of-00002.gguf", Part(1, 3, 2));
        Refusal.Of(() => GgufFile.Open(first), "m-00002-of-00002.gguf", "'split.count' is 3", "expected 2");
        folder.Write("m-00002-of-00002.gguf", Part(1, 2, 5));
        Refusal.Of(() => GgufFile.Open(first), "m-00002-of-00002.gguf", "'split.tensors.count' is 5", "expected 2");
        folder.Write("m-00002-of-00002.gguf", new GgufBuilder().Key("k", 1).Build());
        Refusal.Of(() => GgufFile.Open(first), "m-00002-of-00002.gguf", "'split.no'", "missing");

        folder.Write("m-00001-of-00002.gguf", Part(0, 2, 3));
        folder.Write("m-00002-of-00002.gguf", Part(1, 2, 3));
        Refusal.Of(() => GgufFile.Open(first), "hold 2 tensors", "expects 3");

        folder.Write("m-00001-of-00002.gguf", Part(0, 2, 2));
        folder.Write("m-00002-of-00002.gguf", Part(1, 2, 2, "t0"));
        Refusal.Of(() => GgufFile.Open(first), "m-00002-of-00002.gguf", "tensor 't0'", "stands twice");
    }

    [Fact]
    public void A_count_of_parts_beyond_reason_is_refused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("m.gguf", new GgufBuilder().Key("split.count", long.MaxValue).Build());
        Refusal.Of(() => GgufFile.Open(path), "m.gguf", "parts");
        path = folder.Write("m-00001-of-00002.gguf", new GgufBuilder().Key("split.count", -1L).Build());
        Refusal.Of(() => GgufFile.Open(path), "m-00001-of-00002.gguf", "'split.count' -1");
    }

    private static string Write(TemporaryFolder folder, ushort part) => folder.Write($"m-{part + 1:D5}-of-00002.gguf", Part(part, 2, 2));

    private static byte[] Part(ushort number, ushort count, int tensors, string? name = null) => new GgufBuilder()
        .Key("split.no", number).Key("split.count", count).Key("split.tensors.count", tensors)
        .Tensor(name ?? $"t{number}", 0, [8], new byte[32])
        .Build();
}
