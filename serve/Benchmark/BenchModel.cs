using Pure.Chat;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Models;

namespace Pure.Serve.Benchmark;

/// <summary>What is measured: a file, random weights of a shape, or the embedded model.</summary>
/// <param name="Path">The file, if it is one.</param>
/// <param name="Shape">The shape, of random weights.</param>
/// <param name="Mix">Their element types.</param>
/// <param name="Seed">Their seed.</param>
internal sealed record BenchModel(string? Path, ModelShape? Shape, WeightMix? Mix, ulong Seed)
{
    /// <summary>Opens or makes the model.</summary>
    internal Model Load(ModelOptions options)
    {
        if (Path is not null)
            return Model.Load(Path, options);
        if (Shape is null)
            return LanguageModel.LoadDefault(options).Model;
        GgufFile file = GgufFile.Open(Write(), $"{Shape.Name}-{Mix!.Name}");
        try
        {
            return Model.Load(file, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes random weights to a file, which appears when it is whole.</summary>
    internal void Export(string path)
    {
        using OutputFile file = OutputFile.Create(path);
        Write().Write(file.Stream);
        file.Complete();
    }

    private GgufWriter Write() => RandomModel.Create(Shape!, Mix!, Seed);
}
