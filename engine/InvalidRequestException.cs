namespace Pure.Engine;

/// <summary>
/// A request that the model or the machine cannot serve: an empty prompt, a prompt longer than the context, a token id outside
/// the vocabulary, an instruction set the processor lacks. The message is one sentence that says what to change.
/// </summary>
public sealed class InvalidRequestException : Exception
{
    /// <summary>Creates the exception.</summary>
    public InvalidRequestException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the error that led to it.</summary>
    public InvalidRequestException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
