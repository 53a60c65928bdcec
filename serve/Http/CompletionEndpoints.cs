using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pure.Chat;

namespace Pure.Serve.Http;

/// <summary><c>/v1/completions</c>: a text, or several, in; what continues them out.</summary>
internal static class CompletionEndpoints
{
    private const string PromptField = "prompt";
    private const int DefaultTokens = 16; // OpenAI's

    internal static void Map(IEndpointRouteBuilder routes, ServerState state) =>
        routes.MapPost("/v1/completions", http => AnswerAsync(http, state));

    private static async Task AnswerAsync(HttpContext http, ServerState state)
    {
        state.RequireModel();
        (TextRequest request, string[] echo, AnswerForm form) = Read(await RequestBody.ReadAsync(http, state.Options.MaxBody), state);
        Answer answer = form.Streams ? new CompletionStream(http, request, echo, form) : new CompletionWhole(http, request, echo);
        await request.WriteAsync(http, state, answer);
    }

    /// <summary>Takes from the body what is needed, and lets go of it: the request may wait long.</summary>
    private static (TextRequest Request, string[] Echo, AnswerForm Form) Read(JsonDocument body, ServerState state)
    {
        using JsonDocument document = body;
        var fields = new JsonFields(document.RootElement);
        ServedModel model = state.RequireModel(fields.Text("model"));
        UnsupportedFields.Refuse(fields);
        List<CompletionPrompt> prompts = ReadPrompts(fields, model);
        AnswerForm form = AnswerForm.Read(fields);
        bool echoes = fields.Switch("echo") ?? false;
        int? alternatives = fields.Count("logprobs", 0, SamplingFields.MostAlternatives);
        if (echoes && alternatives is not null)
            throw ApiException.Unsupported("echo", "The parameters 'echo' and 'logprobs' do not go together yet.");
        var request = new TextRequest
        {
            Model = model,
            PromptField = PromptField,
            Prompts = prompts.Count,
            Encode = () => [.. prompts.Select(prompt => prompt.Tokens ?? model.Model.EncodePrompt(prompt.Text!))],
            Choices = TextRequest.ReadChoices(fields, prompts.Count, state.Admission),
            Options = SamplingFields.Read(fields, model.Defaults, model.Model.Tokenizer.VocabularySize) with
            {
                MaxTokens = fields.Count("max_tokens", 0, int.MaxValue) ?? DefaultTokens,
                TopLogProbabilities = alternatives,
                Grammar = state.Grammars.Read(fields),
            },
        };
        string[] echo = echoes ? [.. prompts.Select(prompt => prompt.Text ?? model.Model.Tokenizer.Decode(prompt.Tokens))] : [];
        return (request, echo, form);
    }

    /// <summary>A text, a list of texts, a list of ids, or a list of lists of ids.</summary>
    private static List<CompletionPrompt> ReadPrompts(JsonFields fields, ServedModel model)
    {
        JsonElement value = fields.Require(PromptField);
        if (value.ValueKind == JsonValueKind.String)
            return [Text(value, PromptField)];
        if (value.ValueKind != JsonValueKind.Array)
            throw JsonFields.WrongType(value, PromptField, "a string, a list of strings, a list of token ids or a list of such lists");
        if (value.GetArrayLength() == 0)
            throw ApiException.WrongValue(PromptField, $"The parameter '{PromptField}' is empty, expected at least one prompt.");
        int vocabulary = model.Model.Tokenizer.VocabularySize;
        return value[0].ValueKind switch
        {
            JsonValueKind.Number => [Ids(value, PromptField)],
            JsonValueKind.Array => [.. value.EnumerateArray().Select((ids, at) => Ids(ids, $"{PromptField}[{at}]"))],
            _ => [.. value.EnumerateArray().Select((text, at) => Text(text, $"{PromptField}[{at}]"))],
        };

        CompletionPrompt Text(JsonElement json, string name)
        {
            string text = JsonFields.TextOf(json, name);
            model.RequirePlausible(text.Length, PromptField);
            return new CompletionPrompt(text, null);
        }

        CompletionPrompt Ids(JsonElement list, string name)
        {
            if (list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > model.ContextLength)
                throw ApiException.TooLong(PromptField, list.GetArrayLength(), model.ContextLength);
            return new CompletionPrompt(null, TokenIds.Read(list, name, vocabulary));
        }
    }

    /// <summary>A prompt in one of its two forms.</summary>
    private readonly record struct CompletionPrompt(string? Text, int[]? Tokens);
}
