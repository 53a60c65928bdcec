namespace Pure.Engine.Models;

/// <summary>Bytes of memory that a model and one session need at most, without those of the runtime and of the program around it.</summary>
/// <param name="Weights">Weights in the form in which they are read. What is mapped as it is the system may give up and read again.</param>
/// <param name="Cache">Keys and values of so many positions.</param>
/// <param name="Buffers">Activations of the largest batch, logits of one position, and the session's token ids.</param>
/// <param name="OnDevices">What lies in the memory of devices instead: weights, experts that are copied there, keys and values, and buffers.</param>
public readonly record struct MemoryNeed(long Weights, long Cache, long Buffers, long OnDevices)
{
    /// <summary>All that is in memory.</summary>
    public long Total => Weights + Cache + Buffers;
}
