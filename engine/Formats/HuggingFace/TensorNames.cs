using System.Globalization;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>
/// Where the tensors of a Hugging Face folder go: a table of two columns, module in the folder and module in the model. <c>N</c>
/// stands for a layer's number and <c>E</c> for an expert's; experts that lie apart become one tensor. What follows a module's name
/// (<c>.weight</c>, <c>.bias</c>) is kept; a line may also give both names in full.
/// </summary>
/// <remarks>
/// On the right, <c>a | b</c> means that the first half of the rows is a and the second b; <c>a &amp; b</c> that rows alternate; and
/// <c>-</c> that the tensor is known and rightly left out. The last word of a full name may be <c>weight</c>, <c>bias</c>, or how a
/// weight is stored (<see cref="FolderTensors"/>).
/// </remarks>
internal sealed class TensorNames
{
    private const string LeftOut = "-";
    private const string LayerLetter = "N";
    private const string ExpertLetter = "E";

    private readonly Dictionary<string, string> _table = [];

    internal TensorNames(params ReadOnlySpan<string> tables)
    {
        foreach (string table in tables)
        {
            foreach (string line in table.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                string[] columns = line.Split(' ', 2, StringSplitOptions.TrimEntries);
                _table.Add(columns[0], columns[1]);
            }
        }
    }

    /// <summary>What a tensor is for.</summary>
    /// <param name="Module">Module in the model, such as <c>blk.0.attn_q</c>, or two with a sign between them.</param>
    /// <param name="Parameter">Which of its parameters: <c>weight</c>, <c>bias</c>, <c>qweight</c>, …</param>
    /// <param name="Layer">Number of the layer, null outside the layers.</param>
    /// <param name="Expert">Number of the expert, null where the tensor is no single expert's.</param>
    internal readonly record struct Place(string Module, string Parameter, int? Layer, int? Expert)
    {
        internal bool IsLeftOut => Module == LeftOut;
    }

    /// <summary>The place of the tensor called <paramref name="name"/>, null if the table has none.</summary>
    internal Place? Find(string name)
    {
        string[] words = name.Split('.');
        if (words.Contains(LayerLetter) || words.Contains(ExpertLetter))
            return null;
        int? layer = Number(words, "layers");
        int? expert = Number(words, "experts");
        if (layer is not null)
            words[Array.IndexOf(words, "layers") + 1] = LayerLetter;
        if (expert is not null)
            words[Array.IndexOf(words, "experts") + 1] = ExpertLetter;
        string module = string.Join('.', words[..^1]);
        string parameter = words[^1];
        if (_table.TryGetValue($"{module}.{parameter}", out string? whole))
        {
            int dot = whole.LastIndexOf('.');
            return whole == LeftOut
                ? new Place(LeftOut, "", layer, expert)
                : new Place(InLayer(whole[..dot], layer), whole[(dot + 1)..], layer, expert);
        }

        return _table.TryGetValue(module, out string? target) ? new Place(InLayer(target, layer), parameter, layer, expert) : null;
    }

    /// <summary>Number of the layer that the tensor called <paramref name="name"/> lies in, null outside the layers.</summary>
    internal static int? LayerOf(string name) => Number(name.Split('.'), "layers");

    /// <summary>The number after the word <paramref name="after"/>, null if there is none.</summary>
    private static int? Number(string[] words, string after)
    {
        int at = Array.IndexOf(words, after) + 1;
        return at > 0 && at < words.Length - 1
            && int.TryParse(words[at], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && words[at] == number.ToString(CultureInfo.InvariantCulture)
                ? number
                : null;
    }

    private static string InLayer(string target, int? layer) =>
        layer is { } number ? target.Replace($".{LayerLetter}.", $".{number}.", StringComparison.Ordinal) : target;
}
