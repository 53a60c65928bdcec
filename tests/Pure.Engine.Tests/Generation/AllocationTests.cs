#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using Pure.Engine.Generation;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Generation;

/// <summary>
/// The counter is the process's, for the workers count too; so nothing else may run. What the test runner's own threads allocate
/// now and then falls into some windows: what a token allocates would fall into all of them.
/// </summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests : IDisposable
{
    private const int Warm = 50;
    private const int Window = 140; // more than two blocks of the cache
    private const int Windows = 3;

    private readonly Model _model = Model.Load(
        Path.Combine(Repository.Root, "chat", "Models", "stories-moe", "stories-moe-q8_0.gguf"), new ModelOptions { Threads = 2 });

    public static TheoryData<string, SamplingOptions> Ways => new()
    {
        { "greedy", SamplingOptions.Greedy },
        { "sampled", new SamplingOptions { RepetitionPenalty = 1.1f, FrequencyPenalty = 0.1f, LogitBias = new Dictionary<int, float> { [60] = 1 } } },
        { "sampled without top-k, with log-probabilities", new SamplingOptions { TopK = 0, TopLogProbabilities = 0 } },
    };

    public void Dispose() => _model.Dispose();

    [Theory]
    [MemberData(nameof(Ways), DisableDiscoveryEnumeration = true)]
    public void A_token_allocates_nothing(string way, SamplingOptions sampling)
    {
        using var session = new Session(_model);
        Completion completion = session.Generate([0, 439, 448], new GenerationOptions { Sampling = sampling });
        AssertAllocatesNothing(way, () =>
        {
            if (!completion.TryNext(out _))
                throw new InvalidOperationException("The text ended early.");
        });
    }

    [Theory]
    [MemberData(nameof(Ways), DisableDiscoveryEnumeration = true)]
    public void A_streamed_token_allocates_nothing(string way, SamplingOptions sampling)
    {
        using var session = new Session(_model);
        Completion completion = session.Generate([0, 439, 448], new GenerationOptions { Sampling = sampling });
        IAsyncEnumerator<GeneratedToken> stream = completion.GetAsyncEnumerator(TestContext.Current.CancellationToken);
        using var arrived = new AutoResetEvent(false);
        Action signal = () => arrived.Set();
        AssertAllocatesNothing(way, Next);

        // A caller that allocates nothing itself: an event in place of a state machine.
        void Next()
        {
            ValueTask<bool> next = stream.MoveNextAsync();
            var awaiter = next.GetAwaiter();
            if (!awaiter.IsCompleted)
            {
                awaiter.UnsafeOnCompleted(signal);
                arrived.WaitOne();
            }

            if (!awaiter.GetResult())
                throw new InvalidOperationException("The text ended early.");
        }
    }

    [Fact]
    public void A_guessed_token_allocates_nothing()
    {
        using var session = new Session(_model);
        Completion completion = session.Generate(
            [0, 439, 448, 274, 411, 0, 439, 448], new GenerationOptions { Sampling = SamplingOptions.Greedy, Speculation = Speculation.Lookup });
        AssertAllocatesNothing("greedy with guesses", () =>
        {
            if (!completion.TryNext(out _))
                throw new InvalidOperationException("The text ended early.");
        });
        Assert.True(completion.Drafts.Accepted > 0);
    }

    private static void AssertAllocatesNothing(string way, Action next)
    {
        for (int index = 0; index < Warm; index++)
            next();

        long[] allocated = new long[Windows];
        for (int window = 0; window < Windows; window++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int index = 0; index < Window; index++)
                next();
            allocated[window] = GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        Assert.True(allocated.Min() == 0, $"{way}: {string.Join(", ", allocated)} bytes in windows of {Window} tokens");
    }
}
