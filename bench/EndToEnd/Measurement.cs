using System.Diagnostics;
using System.Globalization;
using Pure.Engine.Generation;
using Pure.Engine.Models;

namespace Pure.Bench.EndToEnd;

/// <summary>The speeds of one run, in tokens per second.</summary>
internal readonly record struct Speeds(double Prompt, double Generated);

/// <summary>One run of this engine, and one of the peer.</summary>
internal static class Measurement
{
    private const int Seed = 1;

    /// <summary>Reads a prompt of random ids and writes greedily after it; nothing ends it early.</summary>
    public static Speeds Ours(Model model, Arguments arguments)
    {
        var random = new Random(Seed);
        var prompt = new int[arguments.Prompt];
        for (int index = 0; index < prompt.Length; index++)
            prompt[index] = random.Next(model.Info.VocabularySize);
        using var session = new Session(model);
        using Completion completion = session.Generate(
            prompt, new GenerationOptions { MaxTokens = arguments.Generate, Sampling = SamplingOptions.Greedy });
        while (completion.TryNext(out _))
        {
        }

        return new Speeds(completion.Timings.PromptTokensPerSecond, completion.Timings.TokensPerSecond);
    }

    /// <summary>Runs the peer's command, whose last line is two numbers.</summary>
    /// <exception cref="FormatException">It is not, or the command failed.</exception>
    public static Speeds Peer(string command, Arguments arguments, string model, int threads)
    {
        string line = command
            .Replace("{model}", model, StringComparison.Ordinal)
            .Replace("{prompt}", arguments.Prompt.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("{generate}", arguments.Generate.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("{threads}", threads.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", line]) { RedirectStandardOutput = true })!;
        string last = process.StandardOutput.ReadToEnd().TrimEnd().Split('\n')[^1];
        process.WaitForExit();
        string[] words = last.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return process.ExitCode == 0 && words.Length == 2
            && double.TryParse(words[0], CultureInfo.InvariantCulture, out double prompt)
            && double.TryParse(words[1], CultureInfo.InvariantCulture, out double generated)
            ? new Speeds(prompt, generated)
            : throw new FormatException(
                $"The peer ended with code {process.ExitCode} and the line \"{last}\", expected two numbers: prompt and generated tokens/s.");
    }
}
