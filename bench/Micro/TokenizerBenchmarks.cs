using BenchmarkDotNet.Attributes;
using Pure.Chat;

namespace Pure.Bench.Micro;

/// <summary>The embedded model's byte-level BPE over 64 KiB of stories: GB/s are of text.</summary>
[Config(typeof(SpeedConfig))]
public class TokenizerBenchmarks
{
    private const string Story =
        "Once upon a time, there was a little girl named Lily. She loved to play with her toys and eat yummy food. One day, she found a big, "
        + "red apple in her room. She was very happy and wanted to eat it.\n\"Mom, look!\" she said. \"I don't know whose it is.\" ";

    private LanguageModel _model = null!;
    private int[] _ids = [];

    /// <summary>The text.</summary>
    [ParamsSource(nameof(Texts))]
    public TextCase Text { get; set; } = null!;

    /// <summary>The one text.</summary>
    public static IEnumerable<TextCase> Texts => [new(string.Concat(Enumerable.Repeat(Story, (1 << 16) / Story.Length)))];

    /// <summary>Loads the vocabulary.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _model = LanguageModel.LoadDefault();
        _ids = _model.Tokenizer.Encode(Text.Value);
    }

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public void Cleanup() => _model.Dispose();

    /// <summary>Text to ids.</summary>
    [Benchmark]
    public int[] Encode() => _model.Tokenizer.Encode(Text.Value);

    /// <summary>Ids to text.</summary>
    [Benchmark]
    public string Decode() => _model.Tokenizer.Decode(_ids);
}

/// <summary>A text, whose operations are its characters.</summary>
public sealed record TextCase(string Value) : IWork
{
    /// <inheritdoc/>
    public Work Work => new(Value.Length, Value.Length);

    /// <inheritdoc/>
    public override string ToString() => $"{Value.Length} characters";
}
