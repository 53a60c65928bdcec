using System.Globalization;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Serve.Benchmark;

namespace Pure.Bench.EndToEnd;

/// <summary>What the command line asks for.</summary>
internal sealed record Arguments
{
    public const string Help = """
        Measures Pure and other engines on the same file, in turn.

        Usage: Pure.Bench.EndToEnd [MODEL] [options]

          MODEL              GGUF file; without it, the embedded model
          --shape S          random weights of a shape that `pure bench --help` lists, written to a file that is removed afterwards
          --type T           their element types (default Q4_0)
          --peer NAME        an engine with a script bench/peers/NAME/run; may be given several times
          --peer NAME=CMD    another engine: a shell command whose last line of output is two numbers, prompt tokens/s and generated
                             tokens/s. {model} {prompt} {generate} {threads} are filled in
          --prompt N         prompt tokens (default 512)
          --generate N       tokens decoded one by one (default 128)
          --threads LIST     thread counts, such as 1,2 (default: the engine's choice)
          --runs N           measured rounds, each engine once (default 3); medians are reported
          --isa NAME         scalar, avx2 or avx512 (default: the best here)
          --activations T    q8 or f32 (default q8)
          --kv-type T        f32, f16, bf16, q8_0 or q4_0 (default f16)
          --json             write JSON instead of a table
          --out PATH         also write PATH.md and PATH.json
          --guess HOW        instead: write texts with guesses and without, in turn. lookup, nextn, or the file of a draft model
          --text F           a text to continue so; may be given several times. Random weights repeat a token instead
          --draft N          most guesses at a time (default 8)
          --clients LIST     instead: write texts for so many clients together, in turn, such as 1,8; and a shared prompt, twice
          --load URL         instead: ask a server of the embedded model from many --clients (one number) at once, for --minutes
          --minutes X        how long (default 10)
          --pid N            the server's process, to look at its memory
          --plot F.svg A.json B.json …   measure nothing: draw the ratios of such reports, and print them as one table
          --help             this text
        """;

    public string? Model { get; private init; }

    public string? Shape { get; private init; }

    public string Type { get; private init; } = "Q4_0";

    public IReadOnlyList<Peer> Peers { get; private init; } = [];

    public int Prompt { get; private init; } = 512;

    public int Generate { get; private init; } = 128;

    public IReadOnlyList<int> Threads { get; private init; } = [0];

    public int Runs { get; private init; } = 3;

    public bool Json { get; private init; }

    public string? Out { get; private init; }

    /// <summary>Where guesses come from, if it is they that are measured.</summary>
    public string? Guess { get; private init; }

    public IReadOnlyList<string> Texts { get; private init; } = [];

    public int Draft { get; private init; } = 8;

    /// <summary>How many texts are written together, if it is they that are measured.</summary>
    public IReadOnlyList<int> Clients { get; private init; } = [];

    /// <summary>A server to ask, if it is that which is measured.</summary>
    public Uri? Load { get; private init; }

    public double Minutes { get; private init; } = 10;

    public int? Process { get; private init; }

    public string? Plot { get; private init; }

    /// <summary>What to plot.</summary>
    public IReadOnlyList<string> Reports { get; private init; } = [];

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
            if (word == "--plot")
            {
                return words.Length - index > 2
                    ? arguments with { Plot = words[index + 1], Reports = [.. words[(index + 2)..]] }
                    : throw new FormatException("--plot takes the picture's name and one report or more; see --help.");
            }

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

        return arguments is { Model: not null, Shape: not null }
            ? throw new FormatException($"Both a model, {arguments.Model}, and --shape {arguments.Shape} are given; give one of them.")
            : arguments;
    }

    /// <summary>The model that is named.</summary>
    /// <exception cref="FormatException">There is no such shape or type.</exception>
    public BenchModel Source() => Shape is null
        ? new BenchModel(Model, null, null, 0)
        : new BenchModel(
            null,
            ModelShape.All.FirstOrDefault(shape => shape.Name == Shape) ?? throw new FormatException($"There is no shape \"{Shape}\"; see pure bench --help."),
            WeightMix.All.FirstOrDefault(mix => mix.Name == Type) ?? throw new FormatException($"There is no type \"{Type}\"; see pure bench --help."),
            Seed: 1);

    private Arguments With(string option, string value) => option switch
    {
        "--shape" => this with { Shape = value },
        "--type" => this with { Type = value },
        "--peer" => this with { Peers = [.. Peers, Peer.Parse(value)] },
        "--prompt" => this with { Prompt = Number(option, value, 1) },
        "--generate" => this with { Generate = Number(option, value, 1) },
        "--threads" => this with { Threads = [.. value.Split(',').Select(count => Number(option, count, 1))] },
        "--runs" => this with { Runs = Number(option, value, 1) },
        "--guess" => this with { Guess = value },
        "--text" => this with { Texts = [.. Texts, value] },
        "--draft" => this with { Draft = Number(option, value, 1) },
        "--clients" => this with { Clients = [.. value.Split(',').Select(count => Number(option, count, 1))] },
        "--load" => this with
        {
            Load = Uri.TryCreate(value, UriKind.Absolute, out Uri? url) ? url : throw new FormatException($"--load is \"{value}\", expected such as http://127.0.0.1:8080."),
        },
        "--minutes" => this with
        {
            Minutes = double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double minutes) && minutes > 0
                ? minutes
                : throw new FormatException($"--minutes is \"{value}\", expected a number above 0."),
        },
        "--pid" => this with { Process = Number(option, value, 1) },
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
