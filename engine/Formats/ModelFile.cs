using System.Diagnostics.CodeAnalysis;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Formats.HuggingFace;

namespace Pure.Engine.Formats;

/// <summary>
/// An open model, whatever its format: keys and tensors by the names that GGUF gives them, checked before they are handed out. Tensors
/// are views of mapped files and die with it.
/// </summary>
public abstract class ModelFile : IDisposable
{
    /// <summary>The path as it was given.</summary>
    public abstract string Path { get; }

    /// <summary>Keys and values.</summary>
    public Metadata Metadata => Keys;

    /// <summary>All tensors, in file order.</summary>
    public abstract IReadOnlyList<Tensor> Tensors { get; }

    /// <summary>Size of all files together in bytes.</summary>
    public abstract long FileBytes { get; }

    private protected abstract Metadata Keys { get; }

    /// <summary>Opens the model at <paramref name="path"/>: a folder in Hugging Face's form, or a GGUF file.</summary>
    /// <exception cref="ModelFormatException">There is none, it is damaged, or of a kind that is not supported.</exception>
    public static ModelFile Open(string path)
    {
        if (Directory.Exists(path))
            return HuggingFaceFolder.Open(path);
        if (HuggingFaceFolder.HoldsFile(path))
            throw new ModelFormatException($"{path}: this is one file of a Hugging Face folder; name the folder, not the file.");
        return GgufFile.Open(path);
    }

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    public abstract bool TryGetTensor(string name, [NotNullWhen(true)] out Tensor? tensor);

    /// <inheritdoc/>
    public abstract void Dispose();
}
