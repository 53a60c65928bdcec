namespace Pure.Engine.Generation;

/// <summary>A token that the model wrote.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Index">How many tokens this generation wrote before it.</param>
/// <param name="LogProbability">
/// Natural logarithm of its probability under the model, before bias, penalties and temperature; <see langword="null"/> unless
/// <see cref="SamplingOptions.TopLogProbabilities"/> asked for it.
/// </param>
/// <param name="Alternatives">The most probable tokens at its place, the most probable first; empty unless asked for.</param>
public readonly record struct GeneratedToken(
    int Id, int Index, double? LogProbability, ReadOnlyMemory<TokenLogProbability> Alternatives);

/// <summary>A token and how probable the model finds it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="LogProbability">Natural logarithm of its probability, before bias, penalties and temperature.</param>
public readonly record struct TokenLogProbability(int Id, double LogProbability);
