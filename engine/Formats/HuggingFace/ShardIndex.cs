using Pure.Engine.Formats.Safetensors;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary><c>model.safetensors.index.json</c>: which file each tensor lies in, under <c>weight_map</c>.</summary>
internal sealed class ShardIndex
{
    private readonly string _file;
    private readonly Dictionary<string, List<string>> _tensors;

    private ShardIndex(string file, Dictionary<string, List<string>> tensors)
    {
        _file = file;
        _tensors = tensors;
    }

    /// <summary>The files' names, in order.</summary>
    internal IEnumerable<string> Files => _tensors.Keys.Order(StringComparer.Ordinal);

    /// <exception cref="ModelFormatException">The file is damaged, or names files outside its folder.</exception>
    internal static ShardIndex Open(string path) => Of(JsonFile.Open(path));

    /// <inheritdoc cref="Open"/>
    internal static ShardIndex Of(JsonFile json)
    {
        JsonFile map = json.FindObject("weight_map") ?? throw json.Wrong("weight_map", "missing", "an object");
        var tensors = new Dictionary<string, List<string>>();
        foreach (string tensor in map.Names)
        {
            string name = map.FindText(tensor) ?? "";
            if (name is "" or "." or ".." || name.AsSpan().ContainsAny('/', '\\', '\0'))
            {
                throw new ModelFormatException(
                    $"{json.File}: tensor {FileText.Quote(tensor)} is said to lie in {FileText.Quote(name)}, expected the name of a file in the same folder; " +
                    "download it again.");
            }

            if (!tensors.TryGetValue(name, out List<string>? list))
                tensors.Add(name, list = []);
            list.Add(tensor);
        }

        if (tensors.Count == 0)
            throw json.Wrong("weight_map", "empty", "the tensors and their files");
        return new ShardIndex(json.File, tensors);
    }

    /// <summary>Every tensor that the index places in <paramref name="name"/> must be there.</summary>
    internal void Check(string name, SafetensorsFile file)
    {
        foreach (string tensor in _tensors[name])
        {
            if (!file.TryGetTensor(tensor, out _))
            {
                throw new ModelFormatException(
                    $"{name}: tensor {FileText.Quote(tensor)} is missing, though {_file} says that it lies here; the files do not belong together: download them again.");
            }
        }
    }
}
