using Pure.Engine.Generation.Grammars;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>Chooses the tokens of one text, as its options say.</summary>
/// <exception cref="InvalidRequestException">An option is outside its range.</exception>
internal sealed class TokenChoice(GenerationOptions options, int vocabulary)
{
    private readonly Sampler _sampler = new(options.Sampling, vocabulary);
    private readonly int[] _stopTokens = [.. options.StopTokens];
    private readonly ulong[] _allowed = options.Grammar is null ? [] : new ulong[(vocabulary + 63) / 64];
    private GrammarState? _state = options.Grammar?.Start; // after the tokens so far

    /// <summary>Checks what a text is asked for.</summary>
    /// <exception cref="InvalidRequestException">The prompt is empty or has an id outside the vocabulary, or an option is outside its range.</exception>
    internal static void Check(ReadOnlySpan<int> prompt, GenerationOptions options, ModelInfo model)
    {
        if (prompt.IsEmpty)
            throw new InvalidRequestException("The prompt has no tokens; give at least one, such as the beginning-of-text token.");
        foreach (int id in prompt)
            RequireToken(id, "prompt");
        foreach (int id in options.StopTokens)
            RequireToken(id, "list of stop tokens");
        if (options.Grammar is not null && options.StopTokens.Count == 0)
            throw new InvalidRequestException(
                "A grammar says where the text may end, but there is no token that ends it; give a stop token, or leave out the grammar.");
        if (options.MaxTokens < 0)
            throw new InvalidRequestException($"{options.MaxTokens} tokens were asked for; ask for 0 or more.");

        void RequireToken(int id, string where)
        {
            if ((uint)id >= (uint)model.VocabularySize)
                throw new InvalidRequestException(
                    $"Token {id} in the {where} is outside the vocabulary, whose ids are 0 to {model.VocabularySize - 1}.");
        }
    }

    /// <summary>Chooses the token after <paramref name="history"/>.</summary>
    /// <param name="logits">The model's logits, <c>[vocabulary]</c>.</param>
    /// <param name="history">The tokens before, prompt included.</param>
    /// <param name="position">Position of the token to choose.</param>
    internal int Choose(ReadOnlySpan<float> logits, ReadOnlySpan<int> history, int position)
    {
        options.LogitsObserver?.Invoke(position, logits);
        if (options.Grammar is not { } grammar)
            return _sampler.Sample(logits, history, position);
        Allow(grammar.Mask(_state!));
        int token = _sampler.Sample(logits, history, position, _allowed);
        if (!Ends(token))
            _state = grammar.Advance(_state!, token);
        return token;
    }

    /// <summary>Whether a token ends the text.</summary>
    internal bool Ends(int token) => _stopTokens.AsSpan().Contains(token);

    /// <summary>Allows what a mask says, and the end exactly where the grammar does.</summary>
    private void Allow(ReadOnlySpan<ulong> mask)
    {
        mask[..Math.Min(mask.Length, _allowed.Length)].CopyTo(_allowed);
        foreach (int token in _stopTokens)
        {
            ulong bit = 1UL << (token & 63);
            _allowed[token >> 6] = _state!.MayEnd ? _allowed[token >> 6] | bit : _allowed[token >> 6] & ~bit;
        }

        if (!_allowed.AsSpan().ContainsAnyExcept(0UL))
            throw new InvalidRequestException(
                "No token of the vocabulary goes on as the grammar asks; some of its characters cannot be written with this vocabulary.");
    }

    /// <summary>A chosen token, with its log-probabilities where they were asked for.</summary>
    internal GeneratedToken Describe(ReadOnlySpan<float> logits, int token, int index)
    {
        if (options.Sampling.TopLogProbabilities is not { } count)
            return new GeneratedToken(token, index, null, default);
        TokenLogProbability[] alternatives = count == 0 ? [] : new TokenLogProbability[count];
        double logProbability = _sampler.LogProbabilities(logits, token, alternatives);
        return new GeneratedToken(token, index, logProbability, alternatives);
    }
}
