namespace Pure.Engine.Devices;

/// <summary>A device that a model was to use fails, is missing, or has too little memory; the message is one sentence.</summary>
public sealed class DeviceException : Exception
{
    /// <summary>With a sentence that says what, where, and what to do.</summary>
    public DeviceException(string message)
        : base(message)
    {
    }

    /// <summary>With what the driver said.</summary>
    public DeviceException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
