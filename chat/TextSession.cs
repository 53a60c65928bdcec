using Pure.Engine;
using Pure.Engine.Generation;

namespace Pure.Chat;

/// <summary>A text that grows: each prompt is appended to what was said and written before, without reading that again.</summary>
public sealed class TextSession : IDisposable
{
    private readonly LanguageModel _model;
    private readonly Session _session;

    internal TextSession(LanguageModel model, int? contextLength)
    {
        _model = model;
        _session = model.OpenSession(contextLength);
    }

    /// <summary>Tokens so far.</summary>
    public int Length => _session.Length;

    /// <summary>Most tokens it can hold.</summary>
    public int ContextLength => _session.ContextLength;

    /// <summary>Appends a prompt and continues it. One text at a time: read it to its end, or leave its loop, before the next one.</summary>
    /// <inheritdoc cref="LanguageModel.GenerateAsync(string, TextOptions?, CancellationToken)" path="/exception"/>
    public TextCompletion GenerateAsync(string prompt, TextOptions? options = null, CancellationToken cancellationToken = default) =>
        _model.Continue(_session, prompt, options ?? new TextOptions(), cancellationToken);

    /// <inheritdoc cref="Session.RestoredTokens"/>
    public int RestoredTokens => _session.RestoredTokens;

    /// <inheritdoc cref="Session.Save"/>
    public void Save(Stream stream) => _session.Save(stream);

    /// <inheritdoc cref="Session.Restore"/>
    public int Restore(Stream stream) => _session.Restore(stream);

    /// <summary>Forgets everything.</summary>
    public void Clear() => _session.Clear();

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
