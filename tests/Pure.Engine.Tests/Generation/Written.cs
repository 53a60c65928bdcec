#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Pure.Engine.Generation;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Generation;

/// <summary>A text and everything that was computed for it, down to a hash of each position's logits.</summary>
internal sealed record Written(
    int[] Ids, double?[] LogProbabilities, TokenLogProbability[] Alternatives, string LogitsHash, FinishReason? Reason, int? EndToken,
    int Length, DraftCounts Drafts)
{
    internal static Written By(Model model, int[] prompt, GenerationOptions options, int? contextLength = null)
    {
        using var session = new Session(model, contextLength);
        return By(session, prompt, options);
    }

    internal static Written By(Session session, int[] prompt, GenerationOptions options) =>
        By(observed => session.Generate(prompt, observed), options) with { Length = session.Length };

    /// <summary>What a completion writes; of a text that is no session's the length is 0.</summary>
    internal static Written By(Func<GenerationOptions, Completion> generate, GenerationOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var tokens = new List<GeneratedToken>();
        using Completion completion = generate(options with
        {
            LogitsObserver = (position, logits) =>
            {
                hash.AppendData(BitConverter.GetBytes(position));
                hash.AppendData(MemoryMarshal.AsBytes(logits));
            },
        });
        while (completion.TryNext(out GeneratedToken token))
            tokens.Add(token);
        return new Written(
            [.. tokens.Select(token => token.Id)],
            [.. tokens.Select(token => token.LogProbability)],
            [.. tokens.SelectMany(token => token.Alternatives.ToArray())],
            Convert.ToHexString(hash.GetHashAndReset()),
            completion.FinishReason,
            completion.EndToken,
            Length: 0,
            completion.Drafts);
    }

    internal void MustEqual(Written other, string way)
    {
        Assert.Equal(Ids, other.Ids);
        Assert.Equal(LogProbabilities, other.LogProbabilities);
        Assert.Equal(Alternatives, other.Alternatives);
        Assert.Equal((way, LogitsHash, Reason, EndToken, Length), (way, other.LogitsHash, other.Reason, other.EndToken, other.Length));
    }
}
