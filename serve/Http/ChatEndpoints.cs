using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pure.Chat;
using Pure.Chat.Templates;

namespace Pure.Serve.Http;

/// <summary><c>/v1/chat/completions</c>: messages in, the next message out.</summary>
internal static class ChatEndpoints
{
    internal static void Map(IEndpointRouteBuilder routes, ServerState state) =>
        routes.MapPost("/v1/chat/completions", http => AnswerAsync(http, state));

    private static async Task AnswerAsync(HttpContext http, ServerState state)
    {
        state.RequireModel();
        (TextRequest request, AnswerForm form) = Read(await RequestBody.ReadAsync(http, state.Options.MaxBody), state);
        Answer answer = form.Streams ? new ChatStream(http, request, form) : new ChatWhole(http, request);
        await request.WriteAsync(http, state, answer);
    }

    /// <summary>Takes from the body what is needed, and lets go of it: the request may wait long.</summary>
    private static (TextRequest Request, AnswerForm Form) Read(JsonDocument body, ServerState state)
    {
        using JsonDocument document = body;
        var fields = new JsonFields(document.RootElement);
        ServedModel model = state.RequireModel(fields.Text("model"));
        UnsupportedFields.Refuse(fields);
        List<ChatMessage> messages = ChatMessages.Read(fields);
        model.RequirePlausible(messages.Sum(message => (long)message.Content.Length), ChatMessages.Field);
        ModelTemplate template = model.Template
            ?? throw ApiException.Unsupported(ChatMessages.Field, "The model has no chat template; ask /v1/completions to continue a text.");
        AnswerForm form = AnswerForm.Read(fields);
        var request = new TextRequest
        {
            Model = model,
            PromptField = ChatMessages.Field,
            Prompts = 1,
            Encode = () => [model.Model.EncodePrompt(Render(template, messages))],
            Choices = TextRequest.ReadChoices(fields, prompts: 1, state.Admission),
            Options = SamplingFields.Read(fields, model.Defaults, model.Model.Tokenizer.VocabularySize) with
            {
                MaxTokens = fields.Count("max_completion_tokens", 1, int.MaxValue) ?? fields.Count("max_tokens", 1, int.MaxValue),
                TopLogProbabilities = Alternatives(fields),
                Grammar = state.Grammars.Read(fields),
            },
        };
        return (request, form);
    }

    private static int? Alternatives(JsonFields fields)
    {
        bool wanted = fields.Switch("logprobs") ?? false;
        int? count = fields.Count("top_logprobs", 0, SamplingFields.MostAlternatives);
        if (count is not null && !wanted)
            throw ApiException.WrongValue("top_logprobs", "The parameter 'top_logprobs' needs 'logprobs' to be true.");
        return wanted ? count ?? 0 : null;
    }

    private static string Render(ModelTemplate template, List<ChatMessage> messages)
    {
        try
        {
            return template.Render(messages);
        }
        catch (TemplateException refusal)
        {
            throw ApiException.WrongValue(
                ChatMessages.Field,
                refusal.IsRaisedByTemplate
                    ? $"The model's chat template refuses the messages: {refusal.Message}"
                    : "The model's chat template fails on these messages.");
        }
    }
}
