namespace Pure.Serve.Http;

/// <summary>What the endpoints of one server share.</summary>
internal sealed class ServerState(ServerOptions options, RequestLog log) : IDisposable
{
    private volatile ServedModel? _model;

    internal ServerOptions Options => options;

    internal RequestLog Log => log;

    internal Admission Admission { get; } = new(options.MaxConcurrent, options.MaxQueue);

    /// <summary>Lets as many long texts be tokenized at once as there are processors; those that are to be continued have a slot anyway.</summary>
    internal SemaphoreSlim Tokenizing { get; } = new(Environment.ProcessorCount);

    /// <summary>Reads what texts must be.</summary>
    internal GrammarFields Grammars { get; } = new();

    /// <summary>The model; null until it is loaded.</summary>
    internal ServedModel? Model
    {
        get => _model;
        set => _model = value;
    }

    /// <summary>The model, for a request that names it or leaves it open.</summary>
    /// <exception cref="ApiException">It is not loaded yet, or the name is another one.</exception>
    internal ServedModel RequireModel(string? name = null)
    {
        ServedModel model = _model ?? throw ApiException.Loading();
        return name is null || name == model.Id ? model : throw ApiException.UnknownModel(name);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Admission.Dispose();
        Tokenizing.Dispose();
    }
}
