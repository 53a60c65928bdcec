using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pure.Tokenizers;

namespace Pure.Serve.Http;

/// <summary><c>/tokenize</c> and <c>/detokenize</c>, with llama-server's bodies.</summary>
internal static class TokenEndpoints
{
    internal static void Map(IEndpointRouteBuilder routes, ServerState state)
    {
        routes.MapPost("/tokenize", http => TokenizeAsync(http, state));
        routes.MapPost("/detokenize", http => DetokenizeAsync(http, state));
    }

    private static async Task TokenizeAsync(HttpContext http, ServerState state)
    {
        Tokenizer tokenizer = state.RequireModel().Model.Tokenizer;
        using JsonDocument body = await RequestBody.ReadAsync(http, state.Options.MaxBody);
        var fields = new JsonFields(body.RootElement);
        string text = fields.Text("content") ?? throw ApiException.Missing("content");
        bool addSpecial = fields.Switch("add_special") ?? false;
        bool parseSpecial = fields.Switch("parse_special") ?? true;
        bool withPieces = fields.Switch("with_pieces") ?? false;
        await state.Tokenizing.WaitAsync(http.RequestAborted);
        int[] ids;
        try
        {
            ids = tokenizer.Encode(text, addSpecial, parseSpecial);
        }
        finally
        {
            state.Tokenizing.Release();
        }

        if (withPieces)
            await HttpJson.WriteAsync(http.Response, new PieceList([.. ids.Select(id => TokenPiece.Of(tokenizer, id))]), HttpJson.Readable.PieceList);
        else
            await HttpJson.WriteAsync(http.Response, new TokenList(ids), HttpJson.Readable.TokenList);
    }

    private static async Task DetokenizeAsync(HttpContext http, ServerState state)
    {
        Tokenizer tokenizer = state.RequireModel().Model.Tokenizer;
        using JsonDocument body = await RequestBody.ReadAsync(http, state.Options.MaxBody);
        JsonElement list = new JsonFields(body.RootElement).Require("tokens");
        int[] ids = TokenIds.Read(list, "tokens", tokenizer.VocabularySize);
        await HttpJson.WriteAsync(http.Response, new DecodedText(tokenizer.Decode(ids, renderSpecial: true)), HttpJson.Readable.DecodedText);
    }
}

/// <summary>Token ids in a request.</summary>
internal static class TokenIds
{
    /// <exception cref="ApiException">It is no list of ids of the vocabulary.</exception>
    internal static int[] Read(JsonElement list, string name, int vocabulary)
    {
        if (list.ValueKind != JsonValueKind.Array)
            throw JsonFields.WrongType(list, name, "a list of token ids");
        var ids = new int[list.GetArrayLength()];
        int at = 0;
        foreach (JsonElement id in list.EnumerateArray())
        {
            bool isKnown = id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out ids[at]) && (uint)ids[at] < (uint)vocabulary;
            if (!isKnown)
                ids[at] = JsonFields.CountOf(id, $"{name}[{at}]", 0, vocabulary - 1);
            at++;
        }

        return ids;
    }
}

/// <summary>The answer of <c>/tokenize</c>.</summary>
internal sealed record TokenList(IReadOnlyList<int> Tokens);

/// <summary>The answer of <c>/tokenize</c> with <c>with_pieces</c>.</summary>
internal sealed record PieceList(IReadOnlyList<TokenPiece> Tokens);

/// <summary>A token and what it stands for: a text or, where that is no whole UTF-8, its bytes.</summary>
internal sealed record TokenPiece(int Id, [property: JsonConverter(typeof(PieceConverter))] byte[] Piece)
{
    internal static TokenPiece Of(Tokenizer tokenizer, int id) => new(id, tokenizer.TokenBytes(id).ToArray());
}

/// <summary>Writes bytes as a text where they are one, and as a list of numbers otherwise.</summary>
internal sealed class PieceConverter : JsonConverter<byte[]>
{
    /// <inheritdoc/>
    public override byte[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Pieces are only written.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options)
    {
        if (Utf8.IsValid(value))
        {
            writer.WriteStringValue(value);
            return;
        }

        writer.WriteStartArray();
        foreach (byte unit in value)
            writer.WriteNumberValue(unit);
        writer.WriteEndArray();
    }
}

/// <summary>The answer of <c>/detokenize</c>.</summary>
internal sealed record DecodedText(string Content);
