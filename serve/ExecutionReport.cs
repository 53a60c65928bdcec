using Pure.Engine.Models;

namespace Pure.Serve;

/// <summary>How a model is run on this machine, in the words of the command line.</summary>
internal sealed record ExecutionReport(string Isa, int Threads, string Activations, string KvType)
{
    internal static ExecutionReport Of(Model model) => new(
        Word(model.Isa), model.Threads, Word(model.Options.Activations), Word(model.Options.CacheType));

    private static string Word<T>(T value)
        where T : struct, Enum => $"{value}".ToLowerInvariant();
}
