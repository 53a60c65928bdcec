using System.Text.Json.Serialization;

namespace Pure.Serve.Http;

/// <summary>A request that is refused: the status, and what stands in the body in OpenAI's form. The message holds nothing internal.</summary>
internal sealed class ApiException : Exception
{
    private const string InvalidRequest = "invalid_request_error";
    private const string Unavailable = "service_unavailable_error";

    private ApiException(int status, string type, string message, string? param, string? code, int? retryAfter = null)
        : base(message)
    {
        Status = status;
        RetryAfter = retryAfter;
        Body = new ErrorBody(new ErrorDetail(message, type, param, code));
    }

    /// <summary>The status of the response.</summary>
    internal int Status { get; }

    /// <summary>After how many seconds asking again may help; null where it does not.</summary>
    internal int? RetryAfter { get; }

    /// <summary>The body of the response.</summary>
    internal ErrorBody Body { get; }

    /// <summary>The body cannot be read as a request at all.</summary>
    internal static ApiException BadBody(string message) => new(400, InvalidRequest, message, null, "invalid_body");

    /// <summary>A parameter has a value of another type than it takes.</summary>
    internal static ApiException WrongType(string param, string message) => new(400, InvalidRequest, message, param, "invalid_type");

    /// <summary>A parameter has a value that it does not take.</summary>
    internal static ApiException WrongValue(string param, string message) => new(400, InvalidRequest, message, param, "invalid_value");

    /// <summary>A parameter is not there that must be.</summary>
    internal static ApiException Missing(string param) =>
        new(400, InvalidRequest, $"The parameter '{param}' is missing.", param, "missing_required_parameter");

    /// <summary>A parameter asks for what this server does not do; it is not passed over in silence.</summary>
    internal static ApiException Unsupported(string param, string message) => new(400, InvalidRequest, message, param, "unsupported_parameter");

    /// <summary>The prompt does not fit.</summary>
    internal static ApiException TooLong(string param, int tokens, int context) => new(
        400, InvalidRequest, $"The prompt has {tokens} tokens, but the context is {context}; shorten it.", param, "context_length_exceeded");

    /// <summary>The prompt cannot fit, whatever its tokens are.</summary>
    internal static ApiException TooManyCharacters(string param, long characters, int context, long most) => new(
        400, InvalidRequest, $"The prompt has {characters} characters, but the context is {context} tokens, which hold at most {most}; shorten it.",
        param, "context_length_exceeded");

    /// <summary>No key of the server's came with the request.</summary>
    internal static ApiException InvalidKey() => new(
        401, InvalidRequest, "The API key is missing or wrong; send it as 'Authorization: Bearer KEY'.", null, "invalid_api_key");

    /// <summary>There is no such model.</summary>
    internal static ApiException UnknownModel(string model) => new(
        404, InvalidRequest, $"There is no model '{model}' here; GET /v1/models lists those there are.", "model", "model_not_found");

    /// <summary>There is no such path.</summary>
    internal static ApiException UnknownPath() => new(404, InvalidRequest, "There is nothing at this path.", null, "unknown_url");

    /// <summary>The path takes another method.</summary>
    internal static ApiException WrongMethod(string method) =>
        new(405, InvalidRequest, $"This path does not take the method {method}.", null, "method_not_allowed");

    /// <summary>The body did not come in time.</summary>
    internal static ApiException SlowBody() => new(408, InvalidRequest, "The body came too slowly.", null, "request_timeout");

    /// <summary>The body is too large.</summary>
    internal static ApiException LargeBody(long most) =>
        new(413, InvalidRequest, $"The body is too large; this server reads at most {most} bytes.", null, "body_too_large");

    /// <summary>So many texts wait already that no more are taken.</summary>
    internal static ApiException QueueFull() =>
        new(429, "rate_limit_error", "The server is busy and its queue is full; ask again later.", null, "queue_full", retryAfter: 1);

    /// <summary>Something failed that the request does not explain.</summary>
    internal static ApiException Failure() => new(
        500, "server_error", "The server failed on this request; its log says more under the request's id.", null, "internal_error");

    /// <summary>The model is not there yet.</summary>
    internal static ApiException Loading() => new(503, Unavailable, "The model is being loaded; ask again soon.", null, "loading", retryAfter: 1);

    /// <summary>The server is about to end.</summary>
    internal static ApiException Draining() =>
        new(503, Unavailable, "The server is shutting down; ask another one.", null, "draining", retryAfter: 1);

    /// <summary>There is no memory for the keys and values of one more text.</summary>
    internal static ApiException OutOfMemory() => new(
        503, Unavailable, "The memory does not suffice for this text now; ask again later, or for fewer tokens.", null, "out_of_memory",
        retryAfter: 5);

    /// <summary>The text took longer than a request may.</summary>
    internal static ApiException Timeout(TimeSpan limit) => new(
        504, "timeout_error", $"The text was not finished in {limit.TotalSeconds} seconds; ask for fewer tokens.", null, "request_timeout");
}

/// <summary>OpenAI's form of an error.</summary>
internal sealed record ErrorBody(ErrorDetail Error);

/// <summary>What was wrong, its kind, the parameter's name, and a word for programs.</summary>
internal sealed record ErrorDetail(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code);
