using System.Text.Json;

namespace Pure.Tokenizers.Pipeline;

/// <summary>Reads the vocabulary and the model of a <c>tokenizer.json</c>.</summary>
internal static class ModelReader
{
    /// <summary>The text of each token of the model; null where an id is not used.</summary>
    public static List<string?> ReadTokens(JsonNode model)
    {
        var vocabulary = model.Get("vocab");
        return vocabulary.IsArray ? ReadPieces(vocabulary) : ReadTokensById(vocabulary);
    }

    /// <param name="model">The file's <c>model</c>.</param>
    /// <param name="texts">What <see cref="ReadTokens"/> read.</param>
    /// <param name="ids">The same by text.</param>
    public static SubwordModel Read(JsonNode model, List<string?> texts, Dictionary<string, int> ids) => TypeOf(model) switch
    {
        "BPE" => ReadBytePair(model, ids),
        "WordPiece" => new WordPieceModel(
            ids.Select(entry => (entry.Key, entry.Value)),
            "",
            model.Text("continuing_subword_prefix") ?? "##",
            IdOf(model, "unk_token", ids) ?? throw model.Error("names no unk_token, which WordPiece needs"),
            model.Find("max_input_chars_per_word")?.Integer() ?? 100),
        "Unigram" => ReadUnigram(model, texts, ids),
        var type => throw model.Unsupported(type, "BPE, WordPiece and Unigram"),
    };

    /// <summary>The id of the token for what the vocabulary cannot spell.</summary>
    public static int? Unknown(JsonNode model, List<string?> texts, Dictionary<string, int> ids)
    {
        if (model.Find("unk_id") is not { } node)
            return IdOf(model, "unk_token", ids);
        int id = node.Integer();
        return (uint)id < (uint)texts.Count ? id : throw node.Error($"is {id}, outside the vocabulary of {texts.Count} tokens");
    }

    /// <summary>Older files do not name the type; what else they have tells it.</summary>
    private static string TypeOf(JsonNode model) => model.Text("type")
        ?? (model.Find("merges") is not null ? "BPE" : model.Find("max_input_chars_per_word") is not null ? "WordPiece"
            : model.Get("vocab").IsArray ? "Unigram" : throw model.Error("does not say its type"));

    private static List<string?> ReadTokensById(JsonNode vocabulary)
    {
        if (!vocabulary.IsObject)
            throw vocabulary.Unexpected("an object of ids by token");
        int count = vocabulary.Element.EnumerateObject().Count();
        var texts = new List<string?>(count);
        foreach (var property in vocabulary.Element.EnumerateObject())
        {
            string token = JsonNode.NameOf(property) ?? throw vocabulary.Error("has a token that is not well-formed Unicode");
            if (property.Value.ValueKind != JsonValueKind.Number || !property.Value.TryGetInt32(out int id))
                throw vocabulary.Error($"has the token {Vocabulary.Quote(token)} with an id that is no whole number");
            Place(texts, id, token, count, vocabulary);
        }
        return texts;
    }

    /// <summary>Puts a token where its id says, with room for gaps but not for nonsense.</summary>
    /// <param name="texts">The tokens so far.</param>
    /// <param name="id">The token's id.</param>
    /// <param name="token">Its text.</param>
    /// <param name="count">How many tokens there are in all.</param>
    /// <param name="node">Where it stands.</param>
    public static void Place(List<string?> texts, int id, string token, int count, JsonNode node)
    {
        long most = 4L * count + 65_536;
        if (id < 0 || id >= most)
            throw node.Error($"gives the token {Vocabulary.Quote(token)} the id {id}, where 0 to {most - 1} is expected of {count} tokens");
        while (texts.Count <= id)
            texts.Add(null);
        if (texts[id] is { } other && other != token)
            throw node.Error($"gives the id {id} to {Vocabulary.Quote(other)} and to {Vocabulary.Quote(token)}");
        texts[id] = token;
    }

    private static List<string?> ReadPieces(JsonNode vocabulary)
    {
        var texts = new List<string?>(vocabulary.Element.GetArrayLength());
        foreach (var piece in vocabulary.Element.EnumerateArray())
        {
            bool isPair = piece.ValueKind == JsonValueKind.Array && piece.GetArrayLength() == 2
                && piece[0].ValueKind == JsonValueKind.String && piece[1].ValueKind == JsonValueKind.Number;
            string? text = isPair ? JsonNode.TextOf(piece[0]) : null;
            texts.Add(text ?? throw vocabulary.Error($"has no token with its score at index {texts.Count}"));
        }
        return texts;
    }

    private static UnigramModel ReadUnigram(JsonNode model, List<string?> texts, Dictionary<string, int> ids)
    {
        var vocabulary = model.Get("vocab");
        if (!vocabulary.IsArray)
            throw vocabulary.Unexpected("a list of tokens with scores");
        double[] scores = [.. vocabulary.Element.EnumerateArray().Select(piece => piece[1].TryGetDouble(out double score) ? score : double.NaN)];
        int wrong = Array.FindIndex(scores, score => !double.IsFinite(score));
        if (wrong >= 0)
            throw vocabulary.Error($"has a score at index {wrong} that is not finite");
        return new UnigramModel(
            [.. texts.Select(text => text ?? "")],
            scores,
            Unknown(model, texts, ids) ?? -1,
            model.Boolean("byte_fallback", false) ? ByteTokens(ids) : null);
    }

    private static BytePairModel ReadBytePair(JsonNode model, Dictionary<string, int> ids)
    {
        if (model.Find("dropout") is { } dropout && !(dropout.Element.ValueKind == JsonValueKind.Number && dropout.Element.TryGetDouble(out double share) && share == 0))
            throw dropout.Error("asks for merges to be dropped at random, which is for training only; remove it");
        string prefix = model.Text("continuing_subword_prefix") ?? "";
        return new BytePairModel(ids, ReadMerges(model.Get("merges"), ids, prefix), new()
        {
            Unknown = IdOf(model, "unk_token", ids) ?? -1,
            FusesUnknown = model.Boolean("fuse_unk", false),
            ByteTokens = model.Boolean("byte_fallback", false) ? ByteTokens(ids) : null,
            IgnoresMerges = model.Boolean("ignore_merges", false),
            ContinuationPrefix = prefix,
            WordSuffix = model.Text("end_of_word_suffix") ?? "",
        });
    }

    /// <summary>Merges are texts with a blank between their parts, or pairs. A part on the right loses the prefix that marks
    /// continuations when it is joined.</summary>
    private static MergeTable ReadMerges(JsonNode node, Dictionary<string, int> ids, string prefix)
    {
        if (!node.IsArray)
            throw node.Unexpected("a list");
        var merges = new MergeTable(node.Element.GetArrayLength());
        int rank = 0;
        foreach (var merge in node.Element.EnumerateArray())
        {
            var (left, right) = Parts(merge) ?? throw node.Error(
                $"has at index {rank} no merge, which is two texts in a list or with a blank between them");
            string tail = prefix.Length > 0 && right.StartsWith(prefix, StringComparison.Ordinal) ? right[prefix.Length..] : right;
            merges.Set(IdOf(left), IdOf(right), rank, IdOf(left + tail));
            rank++;
        }
        return merges;

        int IdOf(string part) => ids.TryGetValue(part, out int id)
            ? id
            : throw node.Error($"has at index {rank} a merge with {Vocabulary.Quote(part)}, which is no token");
    }

    private static (string Left, string Right)? Parts(JsonElement merge)
    {
        if (merge.ValueKind == JsonValueKind.String && JsonNode.TextOf(merge) is { } text)
        {
            int blank = text.IndexOf(' ');
            return blank > 0 && blank < text.Length - 1 && text.IndexOf(' ', blank + 1) < 0 ? (text[..blank], text[(blank + 1)..]) : null;
        }
        bool isPair = merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2
            && merge[0].ValueKind == JsonValueKind.String && merge[1].ValueKind == JsonValueKind.String;
        return isPair && JsonNode.TextOf(merge[0]) is { } left && JsonNode.TextOf(merge[1]) is { } right ? (left, right) : null;
    }

    private static int? IdOf(JsonNode model, string key, Dictionary<string, int> ids)
    {
        if (model.Text(key) is not { } text)
            return null;
        return ids.TryGetValue(text, out int id)
            ? id
            : throw model.Get(key).Error($"is {Vocabulary.Quote(text)}, which is no token of the vocabulary");
    }

    private static int[] ByteTokens(Dictionary<string, int> ids) =>
        [.. Enumerable.Range(0, 256).Select(value => ids.GetValueOrDefault($"<0x{value:X2}>", -1))];
}
