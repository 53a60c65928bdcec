namespace Pure.Engine.Formats.HuggingFace;

/// <summary>The keys of GGUF, filled from <c>config.json</c>.</summary>
internal sealed class FolderMetadata(string file) : Metadata
{
    private readonly OrderedDictionary<string, object> _values = [];

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Keys => _values.Keys;

    internal override string File => file;

    /// <inheritdoc/>
    public override bool Contains(string key) => _values.ContainsKey(key);

    /// <inheritdoc/>
    public override int? FindCount(string key) => Find<Array>(key)?.Length;

    /// <inheritdoc/>
    public override string? FindString(string key) => Find<string>(key);

    /// <inheritdoc/>
    public override long? FindInteger(string key) => _values.ContainsKey(key) ? Of<long>(key) : null;

    /// <inheritdoc/>
    public override double? FindNumber(string key) =>
        !_values.TryGetValue(key, out object? value) ? null : value is long integer ? integer : Of<double>(key);

    /// <inheritdoc/>
    public override bool? FindBoolean(string key) => _values.ContainsKey(key) ? Of<bool>(key) : null;

    /// <inheritdoc/>
    public override string[]? FindStrings(string key) => Find<string[]>(key);

    /// <inheritdoc/>
    public override long[]? FindIntegers(string key) => Find<long[]>(key);

    /// <inheritdoc/>
    public override float[]? FindFloats(string key) => Find<float[]>(key);

    /// <summary>Sets a key where there is something to set; the value is a string, long, double, bool or an array of those.</summary>
    internal void Set(string key, object? value)
    {
        if (value is not null)
            _values[key] = value;
    }

    private T? Find<T>(string key)
        where T : class => _values.ContainsKey(key) ? Of<T>(key) : null;

    private T Of<T>(string key) => _values[key] is T value
        ? value
        : throw new ModelFormatException($"{file}: the value for '{key}' is of another type than expected; the file is damaged: download it again.");
}
