namespace Pure.Tokenizers.MicrosoftML;

/// <summary>
/// What a model wants to know of a vocabulary. Tokenizers of Microsoft.ML.Tokenizers tell only some of it; what is
/// <see langword="null"/> here is what the tokenizer says, or unknown.
/// </summary>
public sealed record TokenRoles
{
    /// <summary>How many tokens there are. Models often have more rows than their tokenizer has tokens: then take the model's
    /// number. <see langword="null"/>: up to the highest id that the tokenizer can decode.</summary>
    public int? Size { get; init; }

    /// <summary>The token that begins a text.</summary>
    public int? Bos { get; init; }

    /// <summary>The token that ends a text; generation stops there.</summary>
    public int? Eos { get; init; }

    /// <summary>The token that ends a turn of a conversation; generation stops there. <see langword="null"/>: known by its
    /// name.</summary>
    public int? Eot { get; init; }

    /// <summary>The token for what the vocabulary cannot spell.</summary>
    public int? Unknown { get; init; }

    /// <summary>The token that fills up a row.</summary>
    public int? Padding { get; init; }

    /// <summary>Whether a text is to begin with <see cref="Bos"/>.</summary>
    public bool? AddBos { get; init; }

    /// <summary>Whether a text is to end with <see cref="Eos"/>.</summary>
    public bool? AddEos { get; init; }

    /// <summary>Control tokens by name that the tokenizer itself does not know as special.</summary>
    public IReadOnlyDictionary<string, int>? Control { get; init; }
}
