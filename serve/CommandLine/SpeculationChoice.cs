using System.CommandLine;
using Pure.Chat;
using Pure.Engine.Generation;
using Pure.Engine.Models;

namespace Pure.Serve.CommandLine;

/// <summary>The options that say whether to guess ahead, and how.</summary>
internal sealed class SpeculationChoice
{
    private static readonly TextOptions Standard = new();

    private readonly Option<Speculation?> _speculation = ValueOptions.Choice(
        "--speculate",
        "Guess the next tokens and compute them at once: as they followed earlier in the text (lookup), by the model's own layer for "
        + "further tokens (nextn, DeepSeek-V3), by a draft model (draft), or not (none). Same text, same bits. Default: draft with "
        + "--draft-model, otherwise none.",
        ("lookup", Speculation.Lookup),
        ("nextn", Speculation.NextTokens),
        ("draft", Speculation.DraftModel),
        ("none", Speculation.None));

    private readonly Option<string?> _draftModel = new("--draft-model", "-md", "--model-draft")
    {
        HelpName = "F",
        Description = "A smaller model of the same vocabulary that guesses: a GGUF file or a Hugging Face folder.",
    };

    private readonly Option<int> _draftTokens = ValueOptions.Number<int>(
        "--draft-tokens", [], "N", "Most tokens to guess at a time. Default: 8.", "from 1 up", count => count >= 1, Standard.DraftTokens);

    internal SpeculationChoice() => Options = [_speculation, _draftModel, _draftTokens];

    /// <summary>The options, for help and parsing.</summary>
    internal IReadOnlyList<Option> Options { get; }

    /// <summary>What the command line says, added to other options.</summary>
    internal TextOptions Read(ParseResult parsed, TextOptions options)
    {
        bool hasDraft = parsed.GetValue(_draftModel) is not null;
        Speculation speculation = parsed.GetValue(_speculation) ?? (hasDraft ? Speculation.DraftModel : Speculation.None);
        if (speculation == Speculation.DraftModel && !hasDraft)
            throw new UsageException("--speculate draft needs a model that guesses: --draft-model F.");
        if (speculation != Speculation.DraftModel && hasDraft)
            throw new UsageException("--draft-model guesses with --speculate draft alone; leave out one of the two.");
        return options with { Speculation = speculation, DraftTokens = parsed.GetValue(_draftTokens) };
    }

    /// <summary>Opens the draft model that the command line names, to run as the model does; null if it names none.</summary>
    internal Model? LoadDraft(ParseResult parsed, LanguageModel model) => parsed.GetValue(_draftModel) is { } path
        ? model.LoadDraft(path, model.Model.Options with { MemoryLimit = null, Mla = LatentForm.Absorbed, Rope = new ModelOptions().Rope })
        : null;
}
