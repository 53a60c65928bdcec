using System.Globalization;
using System.Text;
using Pure.Chat;
using Pure.Engine.Generation;
using Pure.Engine.Models;
using Pure.Serve.Benchmark;

namespace Pure.Bench.EndToEnd;

/// <summary>
/// Writes the same texts with and without guesses, in turn, greedily. The texts must be equal: what differs is the speed.
/// </summary>
/// <param name="speculation">Where guesses come from.</param>
/// <param name="most">Most guesses at a time.</param>
internal sealed class Guessing(Speculation speculation, int most)
{
    private const int Repeated = 7; // the id that random weights repeat

    private readonly List<string> _lines = [];

    /// <summary>Continues each text with a model that was trained.</summary>
    internal void Measure(LanguageModel model, string? draftPath, IEnumerable<string> texts, int tokens, int runs)
    {
        using Model? draft = draftPath is null ? null : model.LoadDraft(draftPath, model.Model.Options);
        foreach (string path in texts)
        {
            int[] prompt = [.. model.Tokenizer.AddsBos ? [model.Tokenizer.Bos!.Value] : (int[])[], .. model.Tokenizer.Encode(File.ReadAllText(path).Trim())];
            int[] ends = [.. Enumerable.Range(0, model.Tokenizer.VocabularySize).Where(model.Tokenizer.IsEndOfGeneration)];
            var options = new GenerationOptions { MaxTokens = tokens, Sampling = SamplingOptions.Greedy, StopTokens = ends, DraftModel = draft };
            Measure(model.Model, Path.GetFileName(path), prompt, options, runs);
        }
    }

    /// <summary>Makes random weights repeat themselves, so that every guess by lookup comes true: what there is to gain at most.</summary>
    internal void Measure(Model model, int tokens, int runs)
    {
        SamplingOptions sampling = SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [Repeated] = 1e6f } };
        Measure(model, "one token, repeated", [1, 2, Repeated, Repeated, Repeated], new() { MaxTokens = tokens, Sampling = sampling }, runs);
    }

    /// <summary>The table, with machine and command.</summary>
    internal string ToMarkdown(Machine machine, string command, int runs)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"- machine: {machine.Cpu}, {machine.Cores} cores, {machine.System}, {machine.Runtime}; load before: {machine.Load:F2}\n");
        text.Append(CultureInfo.InvariantCulture, $"- date and version: {machine.Date}, {machine.Version}\n- command: `{command}`\n");
        text.Append(CultureInfo.InvariantCulture, $"- medians of {runs} runs each way after one warm-up, in turn; lowest and highest in brackets\n\n");
        text.Append("| model | text | threads | prompt | written | guessed by | tokens/s without | with | ratio | guesses in passes | accepted |\n");
        text.Append("|---|---|---:|---:|---:|---|---:|---:|---:|---:|---:|\n");
        foreach (string line in _lines)
            text.Append(line).Append('\n');
        return text.ToString();
    }

    private void Measure(Model model, string name, int[] prompt, GenerationOptions plain, int runs)
    {
        GenerationOptions guessing = plain with { Speculation = speculation, DraftTokens = most };
        var without = new List<double>();
        var with = new List<double>();
        Text guessed = default;
        for (int run = 0; run <= runs; run++)
        {
            Text expected = Write(model, prompt, plain);
            guessed = Write(model, prompt, guessing);
            if (!expected.Ids.SequenceEqual(guessed.Ids))
                throw new InvalidOperationException($"{name} is another text with guesses.");
            if (run == 0)
                continue;
            without.Add(expected.Speed);
            with.Add(guessed.Speed);
        }

        Measured slow = Measured.Of(without)!.Value;
        Measured fast = Measured.Of(with)!.Value;
        DraftCounts drafts = guessed.Drafts;
        _lines.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"| {model.Info.Name} | {name} | {model.Threads} | {prompt.Length} | {guessed.Ids.Count} | {Word} | {Cell(slow)} | {Cell(fast)} | {fast.Median / slow.Median:F2} | {drafts.Drafted} in {drafts.Passes} | {100 * drafts.AcceptanceRate:F0} % |"));
    }

    private string Word => speculation switch
    {
        Speculation.Lookup => "lookup",
        Speculation.NextTokens => "nextn",
        _ => "draft model",
    };

    private static string Cell(Measured speed) =>
        string.Create(CultureInfo.InvariantCulture, $"{speed.Median:F1} ({speed.Lowest:F1}–{speed.Highest:F1})");

    private static Text Write(Model model, int[] prompt, GenerationOptions options)
    {
        using var session = new Session(model, Math.Min(model.Info.ContextLength, prompt.Length + options.MaxTokens!.Value));
        using Completion completion = session.Generate(prompt, options);
        var ids = new List<int>();
        while (completion.TryNext(out GeneratedToken token))
            ids.Add(token.Id);
        return new Text(ids, completion.Timings.TokensPerSecond, completion.Drafts);
    }

    private readonly record struct Text(List<int> Ids, double Speed, DraftCounts Drafts);
}
