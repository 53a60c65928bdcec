using System.Text.Json;
using System.Text.RegularExpressions;
using Pure.Engine;
using Pure.Engine.Generation.Grammars;

namespace Pure.Serve.Http;

/// <summary>
/// What a request's text must be: OpenAI's <c>response_format</c>, llama-server's <c>grammar</c> and <c>json_schema</c>, and vLLM's
/// <c>guided_json</c>, <c>guided_regex</c>, <c>guided_grammar</c> and <c>guided_choice</c>. Grammars are kept, so that requests with the same one share what it costs.
/// </summary>
internal sealed class GrammarFields
{
    private const int MostKept = 32;
    private readonly Lock _lock = new();
    private readonly LinkedList<(string Key, Grammar Grammar)> _kept = []; // the one used last first

    /// <summary>The grammar; null where the text is free.</summary>
    /// <exception cref="ApiException">There are two, or one cannot be followed; the message says why.</exception>
    internal Grammar? Read(JsonFields fields)
    {
        Grammar? found = null;
        string first = "";
        Take("response_format", ReadFormat);
        Take("grammar", value => FromText(value, "grammar", Grammar.FromGbnf));
        Take("json_schema", value => FromSchema(value, "json_schema"));
        Take("guided_json", value => FromSchema(value, "guided_json"));
        Take("guided_regex", value => FromText(value, "guided_regex", Grammar.FromRegex));
        Take("guided_grammar", value => FromText(value, "guided_grammar", Grammar.FromGbnf));
        Take("guided_choice", ReadChoice);
        if (found is not null && fields.Switch("ignore_eos") == true)
            throw ApiException.WrongValue("ignore_eos", $"The parameter 'ignore_eos' is true, but '{first}' says where the text ends; send one of the two.");
        return found;

        void Take(string name, Func<JsonElement, Grammar?> read)
        {
            if (fields.Find(name) is not { } value || read(value) is not { } grammar)
                return;
            if (found is not null)
                throw ApiException.WrongValue(name, $"The parameters '{first}' and '{name}' both say what the text must be; send one of them.");
            (found, first) = (grammar, name);
        }
    }

    private Grammar? ReadFormat(JsonElement value)
    {
        const string Name = "response_format";
        if (value.ValueKind != JsonValueKind.Object)
            throw JsonFields.WrongType(value, Name, "an object");
        var format = new JsonFields(value, Name + ".");
        JsonElement type = format.Require("type");
        switch (JsonFields.TextOf(type, format.Name("type")))
        {
            case "text":
                return null;
            case "json_object":
                return Grammar.JsonObject;
            case "json_schema":
                JsonElement schema = format.Require("json_schema");
                if (schema.ValueKind != JsonValueKind.Object)
                    throw JsonFields.WrongType(schema, format.Name("json_schema"), "an object");
                var named = new JsonFields(schema, format.Name("json_schema."));
                return FromSchema(named.Require("schema"), named.Name("schema"));
            default:
                throw JsonFields.WrongValue(type, format.Name("type"), "text, json_object or json_schema");
        }
    }

    private Grammar? ReadChoice(JsonElement value)
    {
        const string Name = "guided_choice";
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
            throw JsonFields.WrongType(value, Name, "a list of strings");
        string[] choices = [.. value.EnumerateArray().Select((choice, at) => JsonFields.TextOf(choice, $"{Name}[{at}]"))];
        string pattern = string.Join('|', choices.Select(choice => Regex.Replace(choice, @"[\\^$.|?*+()\[\]{}/]", @"\$0")));
        return Keep(Name, pattern, () => Grammar.FromRegex(pattern));
    }

    private Grammar FromSchema(JsonElement schema, string name) =>
        Keep(name, schema.GetRawText(), () => Grammar.FromJsonSchema(schema));

    private Grammar? FromText(JsonElement value, string name, Func<string, Grammar> read)
    {
        string text = JsonFields.TextOf(value, name);
        return text.Length == 0 ? null : Keep(name, text, () => read(text));
    }

    private Grammar Keep(string name, string text, Func<Grammar> make)
    {
        string key = $"{name}\n{text}";
        lock (_lock)
        {
            for (LinkedListNode<(string Key, Grammar Grammar)>? node = _kept.First; node is not null; node = node.Next)
            {
                if (node.Value.Key != key)
                    continue;
                _kept.Remove(node);
                _kept.AddFirst(node);
                return node.Value.Grammar;
            }
        }

        Grammar grammar;
        try
        {
            grammar = make();
        }
        catch (InvalidRequestException refusal)
        {
            throw ApiException.WrongValue(name, refusal.Message);
        }

        lock (_lock)
        {
            _kept.AddFirst((key, grammar));
            if (_kept.Count > MostKept)
                _kept.RemoveLast();
        }

        return grammar;
    }
}
