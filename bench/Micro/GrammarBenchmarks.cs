using BenchmarkDotNet.Attributes;
using Pure.Chat;
using Pure.Engine.Generation.Grammars;
using Pure.Tokenizers;

namespace Pure.Bench.Micro;

/// <summary>What a grammar adds to a token: the mask of a state that is met for the first time, and of one that was met before.</summary>
public class GrammarBenchmarks
{
    private const string Schema =
        """{"properties":{"name":{"maxLength":40},"age":{"type":"integer","minimum":0,"maximum":150},"tags":{"items":{"type":"string"}}},"required":["name","age","tags"]}""";

    private TokenGrammar _tokens = null!;
    private GrammarState _state = null!;

    /// <summary>The vocabulary.</summary>
    [ParamsSource(nameof(Vocabularies))]
    public VocabularyCase Vocabulary { get; set; } = null!;

    /// <summary>The place in the text: what is written before it.</summary>
    [Params("", "{\"name\":\"Li", "{\"name\":\"Lily\",\"age\":1", "{\"name\":\"Lily\",\"age\":4,\"tags\":[\"small\",\"")]
    public string Before { get; set; } = "";

    /// <summary>The embedded model's vocabulary, and a large one where <c>PURE_BENCH_TOKENIZER</c> names a model or a tokenizer's folder.</summary>
    public static IEnumerable<VocabularyCase> Vocabularies
    {
        get
        {
            yield return new VocabularyCase("");
            if (Environment.GetEnvironmentVariable("PURE_BENCH_TOKENIZER") is { Length: > 0 } path)
                yield return new VocabularyCase(path);
        }
    }

    /// <summary>Compiles the schema and goes to the place.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _tokens = new TokenGrammar(Grammar.FromJsonSchema(Schema), Vocabulary.Read());
        _state = _tokens.Grammar.Advance(_tokens.Start, System.Text.Encoding.UTF8.GetBytes(Before));
    }

    /// <summary>The schema to an automaton.</summary>
    [Benchmark]
    public Grammar Compile() => Grammar.FromJsonSchema(Schema);

    /// <summary>A mask from the vocabulary's tree and a grammar that knows none of its states yet; the compilation is part of it.</summary>
    [Benchmark]
    public ulong[] CompileAndFirstMask()
    {
        var grammar = Grammar.FromJsonSchema(Schema);
        var tokens = new TokenGrammar(grammar, _tokens.Tokens);
        return tokens.ComputeMask(grammar.Advance(tokens.Start, System.Text.Encoding.UTF8.GetBytes(Before)));
    }

    /// <summary>A mask where the states on the way are known from others.</summary>
    [Benchmark]
    public ulong[] NewMask() => _tokens.ComputeMask(_state);

    /// <summary>A mask that was found before.</summary>
    [Benchmark]
    public int KnownMask() => _tokens.Mask(_state).Length;
}

/// <summary>A vocabulary, by the path it is read from; none for the embedded model's.</summary>
public sealed record VocabularyCase(string Path)
{
    /// <inheritdoc/>
    public override string ToString() => Path.Length == 0 ? "embedded" : System.IO.Path.GetFileName(Path.TrimEnd('/'));

    internal TokenBytes Read()
    {
        if (Path.Length == 0)
        {
            using var model = LanguageModel.LoadDefault();
            return Of(model.Tokenizer);
        }

        return Of(ModelTokenizer.Open(Path));
    }

    private static TokenBytes Of(Tokenizer tokenizer) => new(
        [.. Enumerable.Range(0, tokenizer.VocabularySize).Select(id => tokenizer.Kind(id) == TokenKind.Normal ? tokenizer.TokenBytes(id).ToArray() : null)]);
}
