namespace Pure.Engine.Memory;

/// <summary>Where a model's weights lie in memory, and when they come there. Nothing of it changes a bit of the result.</summary>
public sealed record MemoryOptions
{
    /// <summary>
    /// Whether weights that are not rearranged are read where the file is mapped: they cost nothing to load, are shared with other processes,
    /// and the system may drop their pages and read them again. Otherwise all matrices are read from the file into the process's own memory when
    /// the model is loaded, in the form in which products read them, and the mapping serves for metadata and vectors only.
    /// </summary>
    public bool Map { get; init; } = true;

    /// <summary>
    /// Whether all weights are brought into memory, and rearranged where they are to be, when the model is loaded, instead of when a layer first
    /// uses them: loading takes longer, the first token does not.
    /// </summary>
    public bool Populate { get; init; }

    /// <summary>
    /// Whether weights, once they are brought into memory as by <see cref="Populate"/>, are locked there, so that the system neither swaps nor
    /// drops them. Where it refuses, <see cref="Models.ModelOptions.Warn"/> is told why, and the model runs without.
    /// </summary>
    public bool Lock { get; init; }

    /// <summary>
    /// Whether the system is asked for pages of 2 MiB for weights, keys and values (Linux; elsewhere this says nothing). They read faster;
    /// without them memory is taken in steps of 4 KiB.
    /// </summary>
    public bool LargePages { get; init; } = true;

    /// <summary>
    /// A folder for a file of weights as they were rearranged, which later loads map instead of rearranging them again: empty for beside the
    /// model, null for none. It is written when a model is loaded and there is none that was made from its file. Of a model whose experts are
    /// read when needed there is none.
    /// </summary>
    public string? RepackCache { get; init; }

    /// <summary>Whether weights come into memory when the model is loaded.</summary>
    internal bool IsEager => !Map || Populate || Lock;
}
