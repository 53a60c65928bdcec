namespace Pure.Engine.Models;

/// <summary>Bytes that a model and one session need at most, without those of the runtime and of the program around it.</summary>
/// <param name="Weights">Weights in the form in which they are read. What is mapped as it is the system may give up and read again.</param>
/// <param name="Cache">Keys and values of so many positions.</param>
/// <param name="Buffers">Activations of the largest batch, logits of one position, and the session's token ids.</param>
public readonly record struct MemoryNeed(long Weights, long Cache, long Buffers)
{
    /// <summary>All of them.</summary>
    public long Total => Weights + Cache + Buffers;
}
