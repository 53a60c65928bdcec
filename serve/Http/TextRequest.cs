using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;
using Pure.Chat;

namespace Pure.Serve.Http;

/// <summary>The texts that one request asks for: so many choices for each of its prompts.</summary>
internal sealed class TextRequest
{
    /// <summary>Which model writes.</summary>
    internal required ServedModel Model { get; init; }

    /// <summary>The parameter that holds the prompts, for errors.</summary>
    internal required string PromptField { get; init; }

    /// <summary>How many prompts there are.</summary>
    internal required int Prompts { get; init; }

    /// <summary>Makes their ids; called once it is the request's turn.</summary>
    internal required Func<int[][]> Encode { get; init; }

    /// <summary>How many texts continue each prompt. With a seed, the first is as if it were alone, and each next one has the next seed.</summary>
    internal required int Choices { get; init; }

    /// <summary>What to write and when to stop.</summary>
    internal required TextOptions Options { get; init; }

    /// <summary>How many texts one request may ask for.</summary>
    /// <exception cref="ApiException">More are asked for than the server ever takes.</exception>
    internal static int ReadChoices(JsonFields fields, int prompts, Admission admission)
    {
        int most = Math.Min(128, admission.Capacity);
        int choices = fields.Count("n", 1, most) ?? 1;
        return (long)choices * prompts <= most
            ? choices
            : throw ApiException.WrongValue(
                "n", $"{prompts} prompts with {choices} choices each are asked for, expected at most {most} texts in all.");
    }

    /// <summary>Waits for its turn, writes the texts, and sends them.</summary>
    /// <exception cref="ApiException">The server is busy, a prompt does not fit, or the time is up.</exception>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    internal async Task WriteAsync(HttpContext http, ServerState state, Answer answer)
    {
        ApiCall call = ApiCall.Of(http);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        limit.CancelAfter(state.Options.RequestTimeout);
        try
        {
            using Admission.Visit visit = await state.Admission.EnterAsync(Prompts * Choices, limit.Token);
            int[][] prompts = Encode();
            foreach (int[] prompt in prompts)
                RequireFit(prompt);
            call.PromptTokens = prompts.Sum(prompt => prompt.Length);
            await WriteAllAsync(prompts, visit, call, answer, limit.Token);
            await answer.FinishAsync(Usage.Of(call), limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            throw ApiException.Timeout(state.Options.RequestTimeout);
        }
    }

    private void RequireFit(int[] prompt)
    {
        if (prompt.Length == 0)
            throw ApiException.WrongValue(PromptField, $"The parameter '{PromptField}' holds no token, expected at least one.");
        if (prompt.Length > Model.ContextLength)
            throw ApiException.TooLong(PromptField, prompt.Length, Model.ContextLength);
    }

    /// <summary>Writes all texts at once; where one fails, the others are given up, and the first failure is told.</summary>
    private async Task WriteAllAsync(int[][] prompts, Admission.Visit visit, ApiCall call, Answer answer, CancellationToken cancellation)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ExceptionDispatchInfo? failure = null;
        await Task.WhenAll(Enumerable.Range(0, prompts.Length * Choices).Select(WriteOneAsync));
        failure?.Throw();

        async Task WriteOneAsync(int index)
        {
            try
            {
                await visit.WaitAsync(giveUp.Token);
                try
                {
                    await WriteTextAsync(prompts[index / Choices], index, call, answer, giveUp.Token);
                }
                finally
                {
                    visit.Free();
                }
            }
#pragma warning disable CA1031 // It is thrown again when the other texts have ended.
            catch (Exception error)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(error), null);
                await giveUp.CancelAsync();
            }
        }
    }

    private async Task WriteTextAsync(int[] prompt, int index, ApiCall call, Answer answer, CancellationToken cancellation)
    {
        TextCompletion completion = Start(prompt, (ulong)(index % Choices), call.Scope, cancellation);
        bool hasBegun = false;
        await foreach (TextPiece piece in completion.ReadPiecesAsync(cancellation))
        {
            // Not before: a failure up to the first token still gets a status of its own.
            if (!hasBegun)
                await answer.BeginAsync(index, cancellation);
            hasBegun = true;
            if (piece.Token is not null)
                call.CountToken();
            await answer.PutAsync(index, piece, cancellation);
        }

        if (!hasBegun)
            await answer.BeginAsync(index, cancellation);
        if (completion.EndToken is not null)
            call.CountToken();
        call.AddCached(completion.CachedTokens);
        await answer.EndAsync(index, completion.StopReason is StopReason.MaxTokens or StopReason.ContextFull ? "length" : "stop", cancellation);
    }

    private TextCompletion Start(int[] prompt, ulong choice, string scope, CancellationToken cancellation)
    {
        TextOptions options = Options with { Seed = unchecked(Options.Seed + choice) };
        return Model.Scheduler.GenerateAsync(prompt, options, scope, cancellation);
    }
}
