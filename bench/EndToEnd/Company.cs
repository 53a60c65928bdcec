using System.Diagnostics;
using System.Globalization;
using System.Text;
using Pure.Engine.Generation;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Serve.Benchmark;

namespace Pure.Bench.EndToEnd;

/// <summary>
/// Writes texts together: how many tokens come out in all for so many clients, and how much sooner a prompt that was read before has its first.
/// </summary>
/// <param name="clients">Numbers of clients, in turn in each round.</param>
/// <param name="prompt">Tokens of each client's own prompt.</param>
/// <param name="generate">Tokens that each is written.</param>
/// <param name="runs">Rounds.</param>
internal sealed class Company(IReadOnlyList<int> clients, int prompt, int generate, int runs)
{
    private const int SharedTokens = 2000;
    private const int OwnTokens = 20;

    private readonly List<string> _together = [];
    private readonly List<string> _shared = [];

    /// <summary>Measures a model.</summary>
    internal void Measure(Model model, string name)
    {
        var random = new Random(1);
        Together(model, name, random);
        Shared(model, name, random);
    }

    /// <summary>The tables, with machine and command.</summary>
    internal string ToMarkdown(Machine machine, string command)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"- machine: {machine.Cpu}, {machine.Cores} cores, {machine.System}, {machine.Runtime}; load before: {machine.Load:F2}\n");
        text.Append(CultureInfo.InvariantCulture, $"- date and version: {machine.Date}, {machine.Version}\n- command: `{command}`\n");
        text.Append(CultureInfo.InvariantCulture, $"- medians of {runs} rounds after one warm-up; lowest and highest in brackets\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Each client sends {prompt} tokens of its own and is written {generate}, all at once; tokens written a second, from the first client's first token to the last.\n\n");
        text.Append("| model | threads | clients | tokens/s in all | of one client's |\n|---|---:|---:|---:|---:|\n");
        text.AppendJoin("", _together);
        if (_shared.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nA prompt of {SharedTokens} tokens that others share, and {OwnTokens} of its own, until its first token.\n\n");
            text.Append("| model | threads | the first | the next | times as soon |\n|---|---:|---:|---:|---:|\n");
            text.AppendJoin("", _shared);
        }

        return text.ToString();
    }

    private void Together(Model model, string name, Random random)
    {
        using var scheduler = new Scheduler(model, new SchedulerOptions
        {
            ContextLength = prompt + generate,
            CachePositions = clients.Max() * (prompt + generate + KvCache.BlockPositions),
            SharePrefixes = false,
        });
        var speeds = clients.Select(_ => new List<double>()).ToArray();
        for (int run = 0; run <= runs; run++)
        {
            for (int index = 0; index < clients.Count; index++)
            {
                double speed = Write(scheduler, [.. Enumerable.Range(0, clients[index]).Select(_ => Tokens(model, random, prompt))]);
                if (run > 0)
                    speeds[index].Add(speed);
            }
        }

        double one = Measured.Of(speeds[0])!.Value.Median;
        for (int index = 0; index < clients.Count; index++)
        {
            Measured speed = Measured.Of(speeds[index])!.Value;
            _together.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {model.Threads} | {clients[index]} | {speed.Median:F1} ({speed.Lowest:F1}–{speed.Highest:F1}) | {speed.Median / one:F2} |\n"));
        }
    }

    private double Write(Scheduler scheduler, int[][] prompts)
    {
        long first = 0;
        var options = new GenerationOptions
        {
            MaxTokens = generate,
            Sampling = SamplingOptions.Greedy,
            LogitsObserver = (_, _) => Interlocked.CompareExchange(ref first, Stopwatch.GetTimestamp(), 0),
        };
        Completion[] texts = Array.ConvertAll(prompts, tokens => scheduler.Submit(tokens, options));
        int written = texts.Sum(text => Read(text));
        return (written - 1) / Stopwatch.GetElapsedTime(first).TotalSeconds;
    }

    private void Shared(Model model, string name, Random random)
    {
        int length = SharedTokens + OwnTokens;
        if (model.Info.ContextLength <= length)
            return;
        using var scheduler = new Scheduler(model, new SchedulerOptions { ContextLength = length + 1, CachePositions = 2 * (length + KvCache.BlockPositions) });
        var firsts = new List<double>();
        var nexts = new List<double>();
        for (int run = 0; run <= runs; run++)
        {
            int[] system = Tokens(model, random, SharedTokens);
            double first = FirstToken();
            double next = FirstToken();
            if (run == 0)
                continue;
            firsts.Add(first);
            nexts.Add(next);

            double FirstToken()
            {
                using Completion text = scheduler.Submit(
                    [.. system, .. Tokens(model, random, OwnTokens)], new GenerationOptions { MaxTokens = 1, Sampling = SamplingOptions.Greedy });
                Read(text);
                return text.Timings.PromptTime.TotalMilliseconds;
            }
        }

        (double slow, double fast) = (Measured.Of(firsts)!.Value.Median, Measured.Of(nexts)!.Value.Median);
        _shared.Add(string.Create(CultureInfo.InvariantCulture, $"| {name} | {model.Threads} | {slow:F0} ms | {fast:F0} ms | {slow / fast:F1} |\n"));
    }

    private static int Read(Completion text)
    {
        int count = 0;
        while (text.TryNext(out _))
            count++;
        return count;
    }

    private static int[] Tokens(Model model, Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => random.Next(model.Info.VocabularySize))];
}
