using System.Globalization;
using System.Text.RegularExpressions;

namespace Pure.Engine.Formats.Gguf;

/// <summary>
/// How a model is split over files. The parts are named <c>name-00001-of-00003.gguf</c>; in each, <c>split.no</c> (from 0),
/// <c>split.count</c> and <c>split.tensors.count</c> (of the whole model) say the same.
/// </summary>
internal sealed partial class GgufSplit
{
    private const string NumberKey = "split.no";
    private const string CountKey = "split.count";
    private const string TensorsKey = "split.tensors.count";

    private readonly string _prefix;
    private readonly string _file;
    private readonly long? _tensors;

    private GgufSplit(string prefix, string file, int count, long? tensors)
    {
        _prefix = prefix;
        _file = file;
        Count = count;
        _tensors = tensors;
    }

    /// <summary>Number of files; 1 is a model that is not split.</summary>
    public int Count { get; }

    /// <summary>What <paramref name="metadata"/> of the file at <paramref name="path"/> says, which must be the first.</summary>
    public static GgufSplit Of(GgufMetadata metadata, string path)
    {
        long count = metadata.FindInteger(CountKey) ?? 0;
        var name = PartName().Match(path);
        long named = name.Success ? long.Parse(name.Groups["count"].ValueSpan, CultureInfo.InvariantCulture) : 0;
        if (count is 0 or 1 && named is 0 or 1)
            return new GgufSplit(path, metadata.File, 1, null);

        if (count != named)
        {
            throw new ModelFormatException(name.Success
                ? $"{metadata.File}: by its name the model has {named} parts, by its key '{CountKey}' {count}; download all parts again " +
                  "under their own names."
                : $"{metadata.File}: this is one of the {count} parts of a model, so its name must end like -00001-of-{count:D5}.gguf; " +
                  "give the parts their own names.");
        }

        var split = new GgufSplit(path[..name.Groups["number"].Index], metadata.File, (int)count, metadata.GetInteger(TensorsKey));
        if (name.Groups["number"].ValueSpan is not "00001")
        {
            throw new ModelFormatException(
                $"{metadata.File}: this is not the first of the {count} parts of the model; give the first, " +
                $"{System.IO.Path.GetFileName(split.PathOf(0))}.");
        }

        split.Check(metadata, 0);
        return split;
    }

    /// <summary>Path of part <paramref name="part"/>, counted from 0.</summary>
    public string PathOf(int part) => $"{_prefix}{part + 1:D5}-of-{Count:D5}.gguf";

    /// <summary>Checks that the file read as part <paramref name="part"/> says so itself and belongs to this model.</summary>
    public void Check(GgufMetadata metadata, int part)
    {
        Expect(NumberKey, part);
        Expect(CountKey, Count);
        Expect(TensorsKey, _tensors);

        void Expect(string key, long? expected)
        {
            if (metadata.GetInteger(key) is var found && found != expected)
            {
                throw new ModelFormatException(
                    $"{metadata.File}: key '{key}' is {found}, expected {expected} in part {part + 1} of {Count}; the parts do not " +
                    "belong together: download all of them again.");
            }
        }
    }

    /// <summary>Checks the number of tensors that all parts together hold.</summary>
    public void CheckTensors(int found)
    {
        if (found != _tensors)
        {
            throw new ModelFormatException(
                $"{_file}: the {Count} parts of the model hold {found} tensors, key '{TensorsKey}' expects {_tensors}; the parts do " +
                "not belong together: download all of them again.");
        }
    }

    [GeneratedRegex(@"-(?<number>\d{5})-of-(?<count>\d{5})\.gguf$", RegexOptions.CultureInvariant)]
    private static partial Regex PartName();
}
