using System.CommandLine;
using Pure.Chat;
using Pure.Engine.Generation;

namespace Pure.Serve.CommandLine;

/// <summary>The options that say whether to guess ahead.</summary>
internal sealed class SpeculationChoice
{
    private static readonly TextOptions Standard = new();

    private readonly Option<Speculation?> _speculation = ValueOptions.Choice(
        "--speculate",
        "Guess the next tokens and compute them at once: as they followed earlier in the text (lookup), or not (none). "
        + "Same text, same bits; faster where large models repeat or quote. Default: none.",
        ("lookup", Speculation.Lookup),
        ("none", Speculation.None));

    private readonly Option<int> _draftTokens = ValueOptions.Number<int>(
        "--draft-tokens", [], "N", "Most tokens to guess at a time. Default: 8.", "from 1 up", count => count >= 1, Standard.DraftTokens);

    internal SpeculationChoice() => Options = [_speculation, _draftTokens];

    /// <summary>The options, for help and parsing.</summary>
    internal IReadOnlyList<Option> Options { get; }

    /// <summary>What the command line says, added to other options.</summary>
    internal TextOptions Read(ParseResult parsed, TextOptions options) => options with
    {
        Speculation = parsed.GetValue(_speculation) ?? Standard.Speculation,
        DraftTokens = parsed.GetValue(_draftTokens),
    };
}
