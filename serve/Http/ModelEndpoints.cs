using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pure.Engine.Models;

namespace Pure.Serve.Http;

/// <summary><c>/v1/models</c>: what there is to ask.</summary>
internal static class ModelEndpoints
{
    private const string IdParameter = "id";

    internal static void Map(IEndpointRouteBuilder routes, ServerState state)
    {
        routes.MapGet("/v1/models", http =>
            HttpJson.WriteAsync(http.Response, new ModelList("list", [ModelCard.Of(state.RequireModel())]), HttpJson.Readable.ModelList));
        routes.MapGet($"/v1/models/{{**{IdParameter}}}", http =>
        {
            var id = http.Request.RouteValues[IdParameter] as string;
            return HttpJson.WriteAsync(http.Response, ModelCard.Of(state.RequireModel(id ?? "")), HttpJson.Readable.ModelCard);
        });
    }
}

/// <summary>The answer of <c>/v1/models</c>.</summary>
internal sealed record ModelList(string Object, IReadOnlyList<ModelCard> Data);

/// <summary>A model, in OpenAI's form and with what else a client may want to know.</summary>
/// <param name="Id">Its name in requests.</param>
/// <param name="Object">Always <c>model</c>.</param>
/// <param name="Created">Unix time at which it was loaded.</param>
/// <param name="OwnedBy">Always <c>pure</c>.</param>
/// <param name="MaxModelLen">Most tokens of a prompt and its continuation.</param>
/// <param name="Meta">What it is.</param>
internal sealed record ModelCard(string Id, string Object, long Created, string OwnedBy, int MaxModelLen, ModelFacts Meta)
{
    internal static ModelCard Of(ServedModel model)
    {
        ModelInfo info = model.Model.Model.Info;
        return new ModelCard(
            model.Id, "model", model.Created, "pure", model.ContextLength,
            new ModelFacts(info.Architecture, info.VocabularySize, info.ContextLength, info.EmbeddingLength, info.Parameters, info.WeightBytes));
    }
}

/// <summary>Sizes of a model, by llama-server's names.</summary>
internal sealed record ModelFacts(string Architecture, int NVocab, int NCtxTrain, int NEmbd, long NParams, long Size);
