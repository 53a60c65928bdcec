using System.Runtime.CompilerServices;
using Pure.Engine;
using Pure.Engine.Formats;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Generation;
using Pure.Engine.Generation.Grammars;
using Pure.Engine.Models;
using Pure.Tokenizers;

namespace Pure.Chat;

/// <summary>
/// A model that writes text. Any number of texts may be written at once, from any threads: they take turns, token by token, and each
/// is what it would be alone.
/// </summary>
/// <example>
/// <code>
/// using var model = LanguageModel.Load("model.gguf");
/// await foreach (var text in model.GenerateAsync("Once upon a time", new() { MaxTokens = 100 }))
///     Console.Write(text);
/// </code>
/// </example>
public sealed class LanguageModel : IDisposable
{
    private const string DefaultName = "stories-moe-q8_0.gguf";
    private readonly int[] _endTokens;
    private readonly Lazy<TokenBytes> _tokenBytes;
    private readonly ConditionalWeakTable<Grammar, TokenGrammar> _grammars = []; // so that texts with one grammar share its masks
    private bool _disposed;

    private LanguageModel(ModelFile file, Tokenizer? tokenizer, ModelOptions? options)
    {
        Tokenizer = tokenizer ?? ModelTokenizer.Create(file);
        Defaults = SamplingDefaults.Of(file);
        Model = Model.Load(file, options);
        _endTokens = EndTokens(file.Metadata);
        _tokenBytes = new Lazy<TokenBytes>(ReadTokenBytes);
    }

    /// <summary>Token ids in, logits out.</summary>
    public Model Model { get; }

    /// <summary>Text to token ids and back.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>How the model's makers would have its tokens chosen, where <see cref="TextOptions"/> leave it open.</summary>
    public SamplingDefaults Defaults { get; }

    /// <summary>Opens a GGUF file, or a folder in Hugging Face's form.</summary>
    /// <param name="path">The file, of a model in several files the first; or the folder.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="ModelFormatException">The file cannot be used.</exception>
    /// <exception cref="InvalidRequestException">The options ask for what this machine lacks.</exception>
    public static LanguageModel Load(string path, ModelOptions? options = null) => Load(ModelFile.Open(path), null, options);

    /// <summary>Opens a model with a tokenizer that is not the one in its file, if there is one; see the other overload.</summary>
    /// <param name="path">The file, of a model in several files the first; or the folder.</param>
    /// <param name="tokenizer">Its ids are those that the model was trained with.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="ModelFormatException">The file cannot be used.</exception>
    /// <exception cref="InvalidRequestException">The options ask for what this machine lacks.</exception>
    public static LanguageModel Load(string path, Tokenizer tokenizer, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return Load(ModelFile.Open(path), tokenizer, options);
    }

    /// <summary>
    /// Opens stories-moe, the small model inside this assembly: a trained DeepSeek-V2-style mixture of experts that tells children's
    /// stories. 5.9 million parameters, a context of 512 tokens, MIT licence.
    /// </summary>
    /// <param name="options">How to run it.</param>
    /// <exception cref="InvalidRequestException">The options ask for what this machine lacks.</exception>
    public static LanguageModel LoadDefault(ModelOptions? options = null)
    {
        using Stream stream = typeof(LanguageModel).Assembly.GetManifestResourceStream(DefaultName)
            ?? throw new InvalidOperationException($"Pure.Chat was built without its resource {DefaultName}.");
        return Load(GgufFile.Open(stream, DefaultName), null, options);
    }

    /// <summary>Opens a smaller model of the same vocabulary, to guess tokens for this one; the caller disposes it.</summary>
    /// <param name="path">A GGUF file, or a folder in Hugging Face's form.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="ModelFormatException">The file cannot be used.</exception>
    /// <exception cref="InvalidRequestException">Its vocabulary is another, or the options ask for what this machine lacks.</exception>
    public Model LoadDraft(string path, ModelOptions? options = null)
    {
        var draft = Model.Load(path, options);
        try
        {
            RequireVocabulary(draft);
            return draft;
        }
        catch
        {
            draft.Dispose();
            throw;
        }
    }

    /// <summary>Continues a prompt.</summary>
    /// <param name="prompt">The text to continue. Unpaired surrogates count as U+FFFD.</param>
    /// <param name="options">What to write and when to stop.</param>
    /// <param name="cancellationToken">Stops before the next token, with <see cref="OperationCanceledException"/>.</param>
    /// <returns>The text, written as it is read.</returns>
    /// <exception cref="InvalidRequestException">
    /// The prompt has no tokens or does not fit the context, or an option is outside its range.
    /// </exception>
    public TextCompletion GenerateAsync(string prompt, TextOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new TextOptions();
        return Start(EncodePrompt(prompt, options.ParseSpecial), continuesText: prompt.Length > 0, options, cancellationToken);
    }

    /// <summary>Continues a prompt that is given as token ids, which are taken as they are.</summary>
    /// <param name="promptTokens">The ids; <see cref="EncodePrompt"/> makes them of a text.</param>
    /// <param name="options">What to write and when to stop.</param>
    /// <param name="cancellationToken">Stops before the next token, with <see cref="OperationCanceledException"/>.</param>
    /// <returns>The text, written as it is read.</returns>
    /// <exception cref="InvalidRequestException">
    /// The prompt has no tokens, one outside the vocabulary, or too many for the context, or an option is outside its range.
    /// </exception>
    public TextCompletion GenerateAsync(
        IReadOnlyList<int> promptTokens, TextOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(promptTokens);
        return Start([.. promptTokens], ContinuesText(promptTokens), options ?? new TextOptions(), cancellationToken);
    }

    /// <summary>
    /// The ids that a prompt at the beginning of a text stands for: with a beginning-of-text token where the vocabulary wants one, and
    /// never an end-of-text token, for the text is to go on.
    /// </summary>
    /// <param name="prompt">The text. Unpaired surrogates count as U+FFFD.</param>
    /// <param name="parseSpecial">As <see cref="TextOptions.ParseSpecial"/>.</param>
    public int[] EncodePrompt(string prompt, bool parseSpecial = true) => Encode(prompt, parseSpecial, isBeginning: true);

    /// <summary>Starts a text that several prompts continue.</summary>
    /// <param name="contextLength">
    /// Most tokens it can hold; <see langword="null"/> takes all the model was trained for. Memory is sized by it.
    /// </param>
    /// <exception cref="InvalidRequestException">The model cannot look back so far, or the machine has not the memory.</exception>
    public TextSession CreateSession(int? contextLength = null) => new(this, contextLength);

    /// <summary>Starts writing many texts at once, from one cache; the caller disposes it before the model.</summary>
    /// <param name="options">How many, and in how much room.</param>
    /// <exception cref="InvalidRequestException">An option is outside its range, or the machine has not the memory.</exception>
    public TextScheduler CreateScheduler(SchedulerOptions? options = null)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new TextScheduler(this, options);
    }

    /// <summary>Frees the model. Texts that are being written fail with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _disposed = true;
        Model.Dispose();
    }

    internal Session OpenSession(int? contextLength)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new Session(Model, contextLength);
    }

    internal TextCompletion Submit(
        Scheduler scheduler, int[] ids, bool continuesText, TextOptions options, string scope, CancellationToken cancellationToken) =>
        Complete(ids, continuesText, options, owned: null, generation => scheduler.Submit(ids, generation, scope, cancellationToken));

    /// <summary>Whether ids are more than the beginning of a text.</summary>
    internal bool ContinuesText(IReadOnlyList<int> ids) => ids.Any(id => id != Tokenizer.Bos);

    internal TextCompletion Continue(Session session, string prompt, TextOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        int[] ids = Encode(prompt, options.ParseSpecial, isBeginning: session.Length == 0);
        bool continuesText = prompt.Length > 0 || session.Length > 0;
        return Complete(ids, continuesText, options, owned: null, generation => session.Generate(ids, generation, cancellationToken));
    }

    /// <summary>Ids must stand for the same texts; at the end there may be fewer or more of them, which stand for none.</summary>
    private void RequireVocabulary(Model draft)
    {
        const string Tokens = "tokenizer.ggml.tokens";
        string[]? own = Model.File.Metadata.FindStrings(Tokens);
        string[]? others = draft.File.Metadata.FindStrings(Tokens);
        if (own is null || others is null)
            return;
        int same = own.AsSpan().CommonPrefixLength(others);
        if (same < Math.Min(own.Length, others.Length))
        {
            throw new InvalidRequestException(
                $"Token {same} is '{others[same]}' in the draft model {draft.File.Path} and '{own[same]}' in the model; take a draft model of the same vocabulary.");
        }
    }

    private static LanguageModel Load(ModelFile file, Tokenizer? tokenizer, ModelOptions? options)
    {
        try
        {
            return new LanguageModel(file, tokenizer, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The tokens that end a text, by the vocabulary's word and by the model's; an id beyond the vocabulary, which small models inherit
    /// from the configuration of large ones, never comes up.
    /// </summary>
    private int[] EndTokens(Metadata metadata)
    {
        IEnumerable<int> vocabulary = Enumerable.Range(0, Tokenizer.VocabularySize).Where(Tokenizer.IsEndOfGeneration);
        long[] model = metadata.FindIntegers("tokenizer.ggml.eos_token_ids") ?? [];
        return [.. vocabulary.Union(model.Where(id => id >= 0 && id < Model.Info.VocabularySize).Select(id => (int)id))];
    }

    private TokenGrammar Bind(Grammar grammar) => _grammars.GetValue(grammar, bound => new TokenGrammar(bound, _tokenBytes.Value));

    /// <summary>What tokens write. Those that steer the model write nothing, and those that end a text are no part of it.</summary>
    private TokenBytes ReadTokenBytes() => new(
        [.. Enumerable.Range(0, Tokenizer.VocabularySize).Select(id =>
            Tokenizer.Kind(id) is TokenKind.Normal or TokenKind.UserDefined or TokenKind.Byte && !_endTokens.Contains(id)
                ? Tokenizer.TokenBytes(id).ToArray()
                : null)]);

    /// <summary>The prompt's ids: a beginning gets its BOS where the vocabulary wants one. Never an EOS: the text is to go on.</summary>
    private int[] Encode(string prompt, bool parseSpecial, bool isBeginning)
    {
        int[] ids = Tokenizer.Encode(prompt, addSpecial: false, parseSpecial);
        return isBeginning && Tokenizer.AddsBos ? [Tokenizer.Bos!.Value, .. ids] : ids;
    }

    private int ContextFor(int prompt, int? maxTokens)
    {
        int limit = Model.Info.ContextLength;
        return maxTokens is null ? limit : (int)Math.Clamp((long)prompt + Math.Max(0, maxTokens.Value), 1, limit);
    }

    private TextCompletion Start(int[] ids, bool continuesText, TextOptions options, CancellationToken cancellationToken)
    {
        Session session = OpenSession(options.ContextLength ?? ContextFor(ids.Length, options.MaxTokens));
        try
        {
            return Complete(ids, continuesText, options, session, generation => session.Generate(ids, generation, cancellationToken));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private TextCompletion Complete(
        int[] ids, bool continuesText, TextOptions options, Session? owned, Func<GenerationOptions, Completion> generate)
    {
        var stops = new StopStrings(options.Stop);
        ulong seed = options.ChooseSeed();
        var decoder = new StreamingDecoder(Tokenizer, continuesText: continuesText);
        return new TextCompletion(generate(options.ForEngine(seed, Defaults, _endTokens, Bind)), decoder, stops, seed, ids, owned);
    }
}
