using Pure.Chat;
using Pure.Chat.Templates;
using Pure.Engine.Generation;
using Pure.Tokenizers;

namespace Pure.Serve.Http;

/// <summary>The model that answers, under the name that requests give it.</summary>
internal sealed class ServedModel : IDisposable
{
    private long _mostCharacters; // 0 until it is asked for

    /// <param name="id">Its name in requests.</param>
    /// <param name="model">The model, which this owns.</param>
    /// <param name="scheduling">How many texts at once, and in how much room.</param>
    /// <param name="defaults">How tokens are chosen where a request leaves it open.</param>
    internal ServedModel(string id, LanguageModel model, SchedulerOptions scheduling, TextOptions defaults)
    {
        Id = id;
        Model = model;
        Scheduler = model.CreateScheduler(scheduling);
        Defaults = defaults;
        Template = ModelTemplate.Find(model);
    }

    /// <summary>Its name in requests.</summary>
    internal string Id { get; }

    /// <summary>Text in, text out.</summary>
    internal LanguageModel Model { get; }

    /// <summary>Writes the texts of all requests together.</summary>
    internal TextScheduler Scheduler { get; }

    /// <summary>Makes prompts of messages; null if the model has no chat template.</summary>
    internal ModelTemplate? Template { get; }

    /// <summary>Most tokens of a prompt and its continuation.</summary>
    internal int ContextLength => Scheduler.ContextLength;

    /// <summary>How tokens are chosen where a request leaves it open.</summary>
    internal TextOptions Defaults { get; }

    /// <summary>Most characters that <see cref="ContextLength"/> tokens can stand for.</summary>
    internal long MostCharacters
    {
        get
        {
            if (_mostCharacters == 0)
            {
                Tokenizer tokenizer = Model.Tokenizer;
                int longest = Enumerable.Range(0, tokenizer.VocabularySize).Max(id => tokenizer.TokenBytes(id).Length);
                _mostCharacters = (long)longest * ContextLength;
            }

            return _mostCharacters;
        }
    }

    /// <summary>Unix time at which it was there.</summary>
    internal long Created { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>Refuses a prompt that is certainly too long, before time and memory go into its tokens.</summary>
    /// <exception cref="ApiException">It is.</exception>
    internal void RequirePlausible(long characters, string param)
    {
        if (characters > ContextLength && characters > MostCharacters)
            throw ApiException.TooManyCharacters(param, characters, ContextLength, MostCharacters);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Scheduler.Dispose();
        Model.Dispose();
    }
}
