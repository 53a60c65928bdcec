using Pure.Chat;
using Pure.Chat.Templates;

namespace Pure.Serve.Http;

/// <summary>The model that answers, under the name that requests give it.</summary>
internal sealed class ServedModel : IDisposable
{
    /// <param name="id">Its name in requests.</param>
    /// <param name="model">The model, which this owns.</param>
    /// <param name="contextLength">Most tokens of a prompt and its continuation.</param>
    /// <param name="defaults">How tokens are chosen where a request leaves it open.</param>
    internal ServedModel(string id, LanguageModel model, int contextLength, TextOptions defaults)
    {
        Id = id;
        Model = model;
        ContextLength = contextLength;
        Defaults = defaults;
        Template = ModelTemplate.Find(model);
    }

    /// <summary>Its name in requests.</summary>
    internal string Id { get; }

    /// <summary>Text in, text out.</summary>
    internal LanguageModel Model { get; }

    /// <summary>Makes prompts of messages; null if the model has no chat template.</summary>
    internal ModelTemplate? Template { get; }

    /// <summary>Most tokens of a prompt and its continuation.</summary>
    internal int ContextLength { get; }

    /// <summary>How tokens are chosen where a request leaves it open.</summary>
    internal TextOptions Defaults { get; }

    /// <summary>Unix time at which it was there.</summary>
    internal long Created { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();
}
