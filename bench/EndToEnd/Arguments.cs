using System.Globalization;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Bench.EndToEnd;

/// <summary>What the command line asks for.</summary>
internal sealed record Arguments
{
    public const string Help = """
        Measures how fast a model reads a prompt and writes text.

        Usage: Pure.Bench.EndToEnd [MODEL] [options]

          MODEL              GGUF file; without it, the embedded model
          --prompt N         prompt tokens (default 256)
          --generate N       tokens written after it (default 128)
          --threads LIST     thread counts, such as 1,2 (default: the engine's choice)
          --isa NAME         scalar, avx2 or avx512 (default: the best here)
          --activations T    q8 or f32 (default q8)
          --kv-type T        f16 or f32 (default f16)
          --runs N           measured runs, after one that is not (default 5); medians are reported
          --peer "COMMAND"   another engine, run after each of our runs; its last line of output must be two numbers: prompt
                             tokens/s and generated tokens/s. {model} {prompt} {generate} {threads} are filled in
          --json             write JSON instead of a table
          --out PATH         also write PATH.md and PATH.json
          --help             this text
        """;

    public string? Model { get; private init; }

    public int Prompt { get; private init; } = 256;

    public int Generate { get; private init; } = 128;

    public IReadOnlyList<int> Threads { get; private init; } = [0];

    public int Runs { get; private init; } = 5;

    public string? Peer { get; private init; }

    public bool Json { get; private init; }

    public string? Out { get; private init; }

    public bool WantsHelp { get; private init; }

    public ModelOptions Options { get; private init; } = new();

    /// <exception cref="FormatException">An argument is not understood.</exception>
    public static Arguments Parse(ReadOnlySpan<string> words)
    {
        var arguments = new Arguments();
        for (int index = 0; index < words.Length; index++)
        {
            string word = words[index];
            if (word is "--help" or "-h")
                return arguments with { WantsHelp = true };
            if (word == "--json")
            {
                arguments = arguments with { Json = true };
                continue;
            }

            if (!word.StartsWith('-'))
            {
                arguments = arguments with { Model = word };
                continue;
            }

            if (index + 1 == words.Length)
                throw new FormatException($"{word} is unknown or lacks its value; see --help.");
            arguments = arguments.With(word, words[++index]);
        }

        return arguments;
    }

    private Arguments With(string option, string value) => option switch
    {
        "--prompt" => this with { Prompt = Number(option, value, 1) },
        "--generate" => this with { Generate = Number(option, value, 2) },
        "--threads" => this with { Threads = [.. value.Split(',').Select(count => Number(option, count, 1))] },
        "--runs" => this with { Runs = Number(option, value, 1) },
        "--peer" => this with { Peer = value },
        "--out" => this with { Out = value },
        "--isa" => this with { Options = Options with { Isa = Name<Isa>(option, value) } },
        "--activations" => this with { Options = Options with { Activations = Name<ActivationType>(option, value) } },
        "--kv-type" => this with { Options = Options with { CacheType = Name<CacheType>(option, value) } },
        _ => throw new FormatException($"{option} is unknown; see --help."),
    };

    private static int Number(string option, string value, int least) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least
            ? number
            : throw new FormatException($"{option} is \"{value}\", expected a whole number from {least} up.");

    private static T Name<T>(string option, string value)
        where T : struct, Enum =>
        Enum.TryParse(value, ignoreCase: true, out T name) && Enum.IsDefined(name)
            ? name
            : throw new FormatException($"{option} is \"{value}\", expected one of {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}.");
}
