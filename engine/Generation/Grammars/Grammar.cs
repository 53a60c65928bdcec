using System.Text;
using System.Text.Json;
using Pure.Engine.Generation.Grammars.JsonSchemas;

namespace Pure.Engine.Generation.Grammars;

/// <summary>
/// A set of texts, to one of which a generation is held (<see cref="GenerationOptions.Grammar"/>). It is compiled once, and may then be shared by
/// any number of texts and threads: they share what was computed of it.
/// </summary>
/// <remarks>
/// The texts are read as bytes of UTF-8 by a pushdown automaton that follows all ways at once, as in llama.cpp; that the tokens a state allows are
/// found once and kept by state is as in Willard and Louf 2023, arXiv:2307.09702, section 3, and Dong et al. 2024 (XGrammar), arXiv:2411.15100.
/// </remarks>
public sealed class Grammar
{
    private const int MostDepth = 256; // entries of the stack
    private const int MostJsonDepth = 64; // parsers often take no more: System.Text.Json
    private const int MostCharacters = 1 << 20;
    private const int MostWork = 1 << 24;

    private static readonly Lazy<Grammar> LazyJsonValue = new(() => Json(JsonText.Value, "JSON"));
    private static readonly Lazy<Grammar> LazyJsonObject = new(() => Json(JsonText.AnyObject, "JSON"));

    private Grammar(Expression root, int mostDepth, string what) => States = new GrammarStates(new Automaton(root, mostDepth, what));

    /// <summary>
    /// Any JSON value, nested at most 64 deep. Blanks stand only after commas and colons, at most one; numbers have at most 15 digits before the
    /// point, 10 after it and 2 in the exponent.
    /// </summary>
    public static Grammar JsonValue => LazyJsonValue.Value;

    /// <summary>Any JSON object, otherwise as <see cref="JsonValue"/>.</summary>
    public static Grammar JsonObject => LazyJsonObject.Value;

    internal GrammarStates States { get; }

    /// <summary>Reads a grammar in llama.cpp's format, GBNF. The text is what its rule <c>root</c> says.</summary>
    /// <param name="text">The rules.</param>
    /// <exception cref="InvalidRequestException">It cannot be read, has a rule that begins with itself, allows no text, or is too large.</exception>
    public static Grammar FromGbnf(string text)
    {
        RequireLength(text, "grammar");
        return new Grammar(GbnfReader.Read(text), MostDepth, "The grammar");
    }

    /// <summary>
    /// Reads a regular expression in the syntax of ECMAScript, without flags. It says what the whole text is, with <c>^</c> and <c>$</c> or without.
    /// What is no regular language is refused: references to groups, looking ahead and behind, and word boundaries.
    /// </summary>
    /// <param name="pattern">The expression.</param>
    /// <exception cref="InvalidRequestException">It cannot be read, uses what is not supported, or is too large.</exception>
    public static Grammar FromRegex(string pattern)
    {
        RequireLength(pattern, "regular expression");
        return new Grammar(RegexReader.Read(pattern, set => set.ToUtf8()), MostDepth, "The regular expression");
    }

    /// <summary>Reads a JSON Schema; see the other overload.</summary>
    /// <param name="schema">The schema, in JSON.</param>
    /// <exception cref="InvalidRequestException">It is no JSON, or as for the other overload.</exception>
    public static Grammar FromJsonSchema(string schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        try
        {
            using var document = JsonDocument.Parse(schema);
            return FromJsonSchema(document.RootElement);
        }
        catch (JsonException error)
        {
            throw new InvalidRequestException(
                $"The JSON schema is not valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}; check its syntax.", error);
        }
    }

    /// <summary>
    /// Reads a JSON Schema (draft 2020-12). What is written always validates. It is not all that would: properties stand in the schema's order,
    /// further ones only where <c>additionalProperties</c> or the lack of <c>properties</c> asks for them; a schema without <c>type</c> is taken to
    /// be about the types that its keywords are about; and blanks and numbers are as in <see cref="JsonValue"/>.
    /// </summary>
    /// <param name="schema">The schema: an object, or true or false.</param>
    /// <exception cref="InvalidRequestException">
    /// It uses a keyword or a combination that is not supported, which the message names with its place; or no value satisfies it; or it is too large.
    /// </exception>
    public static Grammar FromJsonSchema(JsonElement schema)
    {
        RequireLength(schema.GetRawText(), "JSON schema");
        return Json(JsonSchemaReader.Read(schema), "The JSON schema");
    }

    /// <summary>Whether a text is one of the grammar's.</summary>
    /// <exception cref="InvalidRequestException">The grammar is too ambiguous for this text.</exception>
    public bool Matches(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Matches(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Whether bytes of UTF-8 are one of the grammar's texts.</summary>
    /// <inheritdoc cref="Matches(string)" path="/exception"/>
    public bool Matches(ReadOnlySpan<byte> text) => Advance(States.Start, text).MayEnd;

    /// <summary>The texts in which a regular expression matches somewhere.</summary>
    internal static Grammar FromRegexSearch(string pattern) =>
        new(RegexReader.Read(pattern, set => set.ToUtf8(), searches: true), MostDepth, "The regular expression");

    /// <summary>The state after some bytes; <see cref="GrammarState.Dead"/> where they are not allowed.</summary>
    internal GrammarState Advance(GrammarState state, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            int work = MostWork;
            state = States.Step(state, value, ref work);
        }

        return state;
    }

    private static Grammar Json(Expression root, string what) => new(root, MostJsonDepth, what);

    private static void RequireLength(string text, string what)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MostCharacters)
            throw new InvalidRequestException($"The {what} has {text.Length} characters, but {MostCharacters} are the most; make it shorter.");
    }
}
