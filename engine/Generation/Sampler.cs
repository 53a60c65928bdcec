using System.Numerics;
using Pure.Engine.Kernels;

namespace Pure.Engine.Generation;

/// <summary>
/// Chooses the next token from a row of logits. It remembers nothing between calls: the choice depends on the options, the logits,
/// the tokens before and the step.
/// </summary>
/// <remarks>
/// Probabilities are doubles. Sums run over candidates in the order of their rank (largest logit first, ties by lower id), or over
/// the whole vocabulary in the order of ids where no candidate was left out.
/// </remarks>
internal sealed class Sampler
{
    private readonly SamplingOptions _options;
    private readonly float[] _logits; // [vocabulary], after bias and penalties
    private readonly int[] _counts; // [vocabulary], occurrences in the penalty window; zero between calls
    private readonly int[] _biasIds;
    private readonly float[] _biases;
    private readonly Ranking _ranking;
    private readonly int[] _candidates;
    private readonly double[] _weights; // [candidates]

    /// <exception cref="InvalidRequestException">An option is outside its range.</exception>
    internal Sampler(SamplingOptions options, int vocabulary)
    {
        options.Validate(vocabulary);
        _options = options;
        _logits = new float[vocabulary];
        _counts = options.HasPenalties ? new int[vocabulary] : [];
        _biasIds = options.LogitBias?.Keys.Order().ToArray() ?? [];
        _biases = Array.ConvertAll(_biasIds, id => options.LogitBias![id]);

        int candidates = options.Temperature == 0 ? 0 : LimitsCount ? options.TopK : vocabulary;
        _candidates = new int[candidates];
        _weights = new double[candidates];
        _ranking = new Ranking(Math.Max(candidates, options.TopLogProbabilities ?? 0));
    }

    private bool LimitsCount => _options.TopK > 0 && _options.TopK < _logits.Length;

    /// <summary>Chooses a token.</summary>
    /// <param name="logits">The model's logits, <c>[vocabulary]</c>.</param>
    /// <param name="history">The tokens before, prompt included.</param>
    /// <param name="step">Position of the token to choose.</param>
    /// <param name="allowed">A bit for each id that may be chosen; empty where all may.</param>
    /// <exception cref="InvalidRequestException">The logit bias bans every token that is allowed.</exception>
    internal int Sample(ReadOnlySpan<float> logits, ReadOnlySpan<int> history, int step, ReadOnlySpan<ulong> allowed = default)
    {
        logits.CopyTo(_logits);
        AddBiases();
        if (!allowed.IsEmpty)
            Ban(allowed);
        if (_options.HasPenalties)
            Penalise(history[Math.Max(0, history.Length - _options.PenaltyWindow)..]);

        float maximum = Ranking.Maximum(_logits);
        if (float.IsNaN(maximum))
            throw new InvalidOperationException($"A logit at position {step} is not a number; the model's weights are damaged.");
        if (float.IsNegativeInfinity(maximum))
        {
            throw new InvalidRequestException(
                $"The logit bias bans every token {(allowed.IsEmpty ? "of the vocabulary" : "that the grammar allows here")}; leave at least one.");
        }

        if (_options.Temperature == 0)
            return Ranking.First(_logits, maximum);

        Span<int> candidates = _candidates.AsSpan(0, Select(maximum));
        return Draw(candidates, maximum, RandomNumber.Uniform(_options.Seed, _options.Sequence, (ulong)step));
    }

    /// <summary>The model's own log-probabilities: of one token and of the most probable ones.</summary>
    /// <param name="logits">The model's logits, <c>[vocabulary]</c>.</param>
    /// <param name="token">The token.</param>
    /// <param name="alternatives">Receives the most probable tokens, the most probable first.</param>
    internal double LogProbabilities(ReadOnlySpan<float> logits, int token, Span<TokenLogProbability> alternatives)
    {
        double maximum = Ranking.Maximum(logits);
        double sum = 0;
        foreach (float logit in logits)
            sum += Elementary.Exp(logit - maximum);
        double normaliser = maximum + Elementary.Log(sum);

        ReadOnlySpan<int> ids = _ranking.Largest(logits, alternatives.Length);
        for (int rank = 0; rank < ids.Length; rank++)
            alternatives[rank] = new TokenLogProbability(ids[rank], logits[ids[rank]] - normaliser);
        return logits[token] - normaliser;
    }

    private void AddBiases()
    {
        for (int index = 0; index < _biasIds.Length; index++)
            _logits[_biasIds[index]] += _biases[index];
    }

    /// <summary>Leaves the logits of allowed tokens as they are, and all others none, whatever their bias.</summary>
    private void Ban(ReadOnlySpan<ulong> allowed)
    {
        for (int first = 0; first < _logits.Length; first += 64)
        {
            ulong banned = ~allowed[first >> 6];
            Span<float> logits = _logits.AsSpan(first, Math.Min(64, _logits.Length - first));
            if (banned == ulong.MaxValue)
            {
                logits.Fill(float.NegativeInfinity);
                continue;
            }

            for (; banned != 0; banned &= banned - 1)
            {
                int at = BitOperations.TrailingZeroCount(banned);
                if (at < logits.Length)
                    logits[at] = float.NegativeInfinity;
            }
        }
    }

    private void Penalise(ReadOnlySpan<int> window)
    {
        foreach (int id in window)
            _counts[id]++;

        foreach (int id in window)
        {
            int count = _counts[id];
            if (count == 0)
                continue; // penalised already
            _counts[id] = 0;
            float logit = _logits[id];
            logit = logit > 0 ? logit / _options.RepetitionPenalty : logit * _options.RepetitionPenalty;
            _logits[id] = logit - ((count * _options.FrequencyPenalty) + _options.PresencePenalty);
        }
    }

    /// <summary>
    /// Fills the candidates and returns their number. Top-k, top-p and min-p each keep a head of the ranking, so that the shortest
    /// of the three is what all of them keep.
    /// </summary>
    private int Select(float maximum)
    {
        bool limitsMass = _options.TopP < 1 || _options.MinP > 0;
        if (!LimitsCount && !limitsMass)
        {
            for (int id = 0; id < _candidates.Length; id++)
                _candidates[id] = id;
            return _candidates.Length;
        }

        return LimitsCount ? SelectFromLargest(maximum) : SelectFromAll(maximum);
    }

    private int SelectFromLargest(float maximum)
    {
        ReadOnlySpan<int> ranked = _ranking.Largest(_logits, _options.TopK);
        ranked.CopyTo(_candidates);
        double total = 0;
        for (int rank = 0; rank < ranked.Length; rank++)
            total += _weights[rank] = Weight(ranked[rank], maximum, 1);

        double mass = 0;
        for (int rank = 0; rank < ranked.Length; rank++)
        {
            if (_weights[rank] < _options.MinP)
                return rank;
            mass += _weights[rank];
            if (_options.TopP < 1 && mass >= _options.TopP * total)
                return rank + 1;
        }

        return ranked.Length;
    }

    private int SelectFromAll(float maximum)
    {
        double total = 0;
        if (_options.TopP < 1)
        {
            for (int id = 0; id < _logits.Length; id++)
                total += Weight(id, maximum, 1);
        }

        Span<int> heap = _ranking.Heap(_logits);
        double mass = 0;
        int count = 0;
        while (heap.Length > 0)
        {
            int id = Ranking.Pop(ref heap, _logits);
            double weight = Weight(id, maximum, 1);
            if (weight < _options.MinP)
                break;
            _candidates[count++] = id;
            mass += weight;
            if (_options.TopP < 1 && mass >= _options.TopP * total)
                break;
        }

        return count;
    }

    /// <summary>The first candidate at which the running sum of weights passes <paramref name="uniform"/> of the whole.</summary>
    private int Draw(ReadOnlySpan<int> candidates, float maximum, double uniform)
    {
        double total = 0;
        for (int rank = 0; rank < candidates.Length; rank++)
            total += _weights[rank] = Weight(candidates[rank], maximum, _options.Temperature);

        // uniform < 1, so that target < total unless the product rounds up: then the last candidate that weighs anything.
        double target = uniform * total;
        double mass = 0;
        int chosen = 0;
        for (int rank = 0; rank < candidates.Length; rank++)
        {
            if (_weights[rank] == 0)
                continue;
            chosen = rank;
            mass += _weights[rank];
            if (mass > target)
                break;
        }

        return candidates[chosen];
    }

    /// <summary>e^((logit − maximum) / temperature): the probability up to a factor. The largest logit, infinite or not, weighs 1.</summary>
    private double Weight(int id, float maximum, double temperature)
    {
        float logit = _logits[id];
        return logit == maximum ? 1 : Elementary.Exp(((double)logit - maximum) / temperature);
    }
}
