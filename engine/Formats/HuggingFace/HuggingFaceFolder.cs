using System.Diagnostics.CodeAnalysis;
using Pure.Engine.Formats.Safetensors;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>
/// A model as Hugging Face's library saves it: a folder with <c>config.json</c> and its weights in <c>model.safetensors</c>, or in
/// several files that <c>model.safetensors.index.json</c> lists. Keys and tensors get the names and layouts that GGUF gives them, here
/// and nowhere else, so that a family never knows where its weights came from.
/// </summary>
public sealed class HuggingFaceFolder : ModelFile
{
    private const string ConfigName = "config.json";
    private const string GenerationName = "generation_config.json";
    private const string WeightsName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";

    private readonly Dictionary<string, Tensor> _byName;
    private readonly IReadOnlyList<IDisposable> _memory;

    private HuggingFaceFolder(string path, FolderMetadata metadata, IReadOnlyList<Tensor> tensors, long fileBytes, IReadOnlyList<IDisposable> memory)
    {
        Path = path;
        Keys = metadata;
        Tensors = tensors;
        FileBytes = fileBytes;
        _memory = memory;
        _byName = tensors.ToDictionary(tensor => tensor.Name);
    }

    /// <summary>The folder, as it was given: beside the model it may hold <c>tokenizer.json</c> and the like.</summary>
    public override string Path { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Tensors { get; }

    /// <inheritdoc/>
    public override long FileBytes { get; }

    private protected override Metadata Keys { get; }

    /// <summary>Opens the model in the folder at <paramref name="path"/>.</summary>
    /// <exception cref="ModelFormatException">A file is missing or damaged, or the model is of a kind that is not supported.</exception>
    /// <exception cref="InvalidRequestException">Quantised weights must be rearranged and the machine has not that much memory.</exception>
    public static new HuggingFaceFolder Open(string path)
    {
        if (!Directory.Exists(path))
            throw new ModelFormatException($"{path}: there is no such folder; check the path.");
        if (!File.Exists(Beside(path, ConfigName)))
        {
            throw new ModelFormatException(
                $"{path}: this is a directory without a {ConfigName}, so no Hugging Face model; name a folder that holds one, or a GGUF file.");
        }

        JsonFile config = JsonFile.Open(Beside(path, ConfigName));
        Architecture architecture = Architecture.Of(config);
        JsonFile decoder = architecture.DecoderConfig(config);
        FolderMetadata metadata = Describe(path, decoder, architecture);
        JsonFile? generation = File.Exists(Beside(path, GenerationName)) ? JsonFile.Open(Beside(path, GenerationName)) : null;
        GenerationKeys.Set(metadata, generation, config, decoder);
        var memory = new List<IDisposable>();
        try
        {
            List<SafetensorsFile> files = OpenWeights(path, memory);
            List<Tensor> tensors = new FolderTensors(architecture, decoder, QuantizationConfig.Of(config), memory)
                .Read(files.SelectMany(file => file.Tensors));
            CheckVocabulary(decoder, tensors);
            return new HuggingFaceFolder(path, metadata, tensors, files.Sum(file => file.FileBytes), memory);
        }
        catch
        {
            memory.ForEach(owner => owner.Dispose());
            throw;
        }
    }

    /// <summary>Whether there is a file at <paramref name="path"/> that by its name lies in such a folder.</summary>
    internal static bool HoldsFile(string path) =>
        (path.EndsWith(".safetensors", StringComparison.Ordinal) || System.IO.Path.GetFileName(path) is ConfigName or IndexName)
        && File.Exists(path);

    /// <inheritdoc/>
    public override bool TryGetTensor(string name, [NotNullWhen(true)] out Tensor? tensor) => _byName.TryGetValue(name, out tensor);

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (IDisposable owner in _memory)
            owner.Dispose();
    }

    /// <summary>The keys that <paramref name="config"/> gives a family.</summary>
    private static FolderMetadata Describe(string path, JsonFile config, Architecture architecture)
    {
        var metadata = new FolderMetadata(config.File);
        metadata.Set("general.architecture", architecture.Family);
        metadata.Set("general.name", System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path))));
        architecture.Describe(config, new Keys(metadata, architecture.Family));
        return metadata;
    }

    private static void CheckVocabulary(JsonFile config, List<Tensor> tensors)
    {
        if (config.FindInteger("vocab_size") is { } size
            && tensors.Find(tensor => tensor.Name == "token_embd.weight") is { Shape: [var rows, ..], File: var file }
            && rows != size)
        {
            throw new ModelFormatException(
                $"{file}: the embedding has {rows} rows and by {config.File} the vocabulary has {size} tokens; the files do not belong together: " +
                "download them again.");
        }
    }

    private static List<SafetensorsFile> OpenWeights(string path, List<IDisposable> memory)
    {
        if (File.Exists(Beside(path, WeightsName)))
            return [OpenOne(Beside(path, WeightsName))];
        if (!File.Exists(Beside(path, IndexName)))
        {
            throw new ModelFormatException(
                $"{path}: the folder has neither {WeightsName} nor {IndexName}; download the weights in safetensors form.");
        }

        ShardIndex index = ShardIndex.Open(Beside(path, IndexName));
        var files = new List<SafetensorsFile>();
        foreach (string name in index.Files)
        {
            if (!File.Exists(Beside(path, name)))
                throw new ModelFormatException($"{path}: {FileText.Quote(name)}, which {IndexName} lists, is missing; download it too.");
            files.Add(OpenOne(Beside(path, name)));
            index.Check(name, files[^1]);
        }

        return files;

        SafetensorsFile OpenOne(string file)
        {
            SafetensorsFile opened = SafetensorsFile.Open(file);
            memory.Add(opened);
            return opened;
        }
    }

    private static string Beside(string folder, string name) => System.IO.Path.Combine(folder, name);
}
