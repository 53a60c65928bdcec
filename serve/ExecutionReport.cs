using Pure.Engine.Models;

namespace Pure.Serve;

/// <summary>How a model is run on this machine, in the words of the command line.</summary>
internal sealed record ExecutionReport(string Isa, int Threads, string Activations, string KvType)
{
    internal static ExecutionReport Of(Model model) => new(
        Word(model.Isa), model.Threads, Word(model.Options.Activations), CacheWord(model.Options));

    /// <summary>The type of keys and values, or the two types: <c>q8_0/q4_0</c>.</summary>
    internal static string CacheWord(ModelOptions options) =>
        options.ValueCacheType is { } values && values != options.CacheType
            ? $"{Word(options.CacheType)}/{Word(values)}"
            : Word(options.CacheType);

    private static string Word<T>(T value)
        where T : struct, Enum => $"{value}".ToLowerInvariant();
}
