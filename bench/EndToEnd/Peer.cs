using System.Diagnostics;
using System.Globalization;

namespace Pure.Bench.EndToEnd;

/// <summary>Another engine, as a shell command.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Command">Its last line of output is two numbers: prompt tokens/s and generated tokens/s.</param>
internal sealed record Peer(string Name, string Command)
{
    /// <summary>An engine that has a script in bench/peers, or <c>NAME=COMMAND</c>.</summary>
    /// <exception cref="FormatException">There is no such script.</exception>
    public static Peer Parse(string text)
    {
        if (text.IndexOf('=', StringComparison.Ordinal) is > 0 and int end)
            return new Peer(text[..end], text[(end + 1)..]);
        string script = Path.Combine(Repository(), "bench", "peers", text, "run");
        return File.Exists(script)
            ? new Peer(text, $"bash '{script}' '{{model}}' {{prompt}} {{generate}} {{threads}}")
            : throw new FormatException($"There is no script {script}; name one of bench/peers, or give NAME=COMMAND.");
    }

    /// <summary>Runs it once in a process of its own.</summary>
    /// <exception cref="FormatException">The command failed, or its last line is something else.</exception>
    public (double Prompt, double Generated) Measure(string model, int prompt, int generate, int threads)
    {
        string line = Command
            .Replace("{model}", model, StringComparison.Ordinal)
            .Replace("{prompt}", prompt.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("{generate}", generate.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("{threads}", threads.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", line]) { RedirectStandardOutput = true })!;
        string last = process.StandardOutput.ReadToEnd().TrimEnd().Split('\n')[^1];
        process.WaitForExit();
        string[] words = last.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return process.ExitCode == 0 && words.Length == 2
            && double.TryParse(words[0], CultureInfo.InvariantCulture, out double promptSpeed)
            && double.TryParse(words[1], CultureInfo.InvariantCulture, out double generatedSpeed)
            ? (promptSpeed, generatedSpeed)
            : throw new FormatException(
                $"{Name} ended with code {process.ExitCode} and the line \"{last}\", expected two numbers: prompt and generated tokens/s.");
    }

    private static string Repository()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Pure.sln")))
                return folder;
        }

        return Environment.CurrentDirectory;
    }
}
