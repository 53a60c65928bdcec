namespace Pure.Engine;

/// <summary>
/// A model file cannot be used as it is. The message is one sentence: what, where (file, tensor, byte), what was expected,
/// what was found, and what to do.
/// </summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ModelFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the error that led to it.</summary>
    public ModelFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The model's architecture, where the trouble is that this version does not support it; otherwise null.</summary>
    public string? UnsupportedArchitecture { get; init; }
}
