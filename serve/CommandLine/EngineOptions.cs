using System.CommandLine;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Serve.CommandLine;

/// <summary>The options that say how a model is run; every command that opens a model has them.</summary>
internal sealed class EngineOptions
{
    /// <summary>Most threads that may be asked for.</summary>
    internal const int MostThreads = 1024;

    private readonly Option<int?> _threads = ValueOptions.OptionalNumber<int>(
        "--threads", ["-t"], "N", "Threads to compute with. Default: the physical cores this process may use.",
        $"from 1 to {MostThreads}", threads => threads is >= 1 and <= MostThreads);

    private readonly Option<bool> _pin = ValueOptions.Switch(
        "--pin", "Keep each worker thread on a core of its own (Linux, Windows); the thread that commands them moves freely.");

    private readonly Option<Isa?> _isa = ValueOptions.Choice(
        "--isa", "Instruction set; all give the same bits. Default: the best this processor has, or what PURE_ISA names.",
        ("scalar", Isa.Scalar), ("neon", Isa.Neon), ("avx2", Isa.Avx2), ("avx-vnni", Isa.AvxVnni), ("avx512", Isa.Avx512));

    private readonly Option<ActivationType?> _activations = ValueOptions.Choice(
        "--activations", "What quantised weights are multiplied with: 8-bit integers or floats. Default: q8.",
        ("q8", ActivationType.Q8), ("f32", ActivationType.F32));

    private readonly Option<CacheType?> _cacheType = CacheChoice(
        "--kv-type", "How keys and values are stored; the last two need heads of whole blocks of 32. Default: f16.");

    private readonly Option<CacheType?> _keyType = CacheChoice("--cache-type-k", "How keys are stored, where values are not stored alike.", "-ctk");

    private readonly Option<CacheType?> _valueType = CacheChoice("--cache-type-v", "How values are stored, where keys are not stored alike.", "-ctv");

    private readonly Option<LatentForm?> _mla = ValueOptions.Choice(
        "--mla", "How latent attention (MLA) reads prompts: against the cached latents, or against keys and values made from them. Default: absorb.",
        ("absorb", LatentForm.Absorbed), ("expand", LatentForm.Expanded));

    private readonly Option<int?> _promptChunk = ValueOptions.OptionalNumber<int>(
        "--prompt-chunk", [], "N", "Most prompt tokens computed at once; changes speed and memory, no bit. Default: 512.",
        "from 1 to 65536", chunk => chunk is >= 1 and <= 65536);

    private readonly Option<bool> _noRepack = ValueOptions.Switch(
        "--no-repack", "Read quantised weights where the file is mapped, instead of rearranging a copy; slower, half the memory, the same bits.");

    private readonly Option<bool> _noEmit = ValueOptions.Switch(
        "--no-emit", "Write no machine code at run time; slower where the processor has 512-bit VNNI, the same bits.");

    private readonly RopeChoice _rope = new();
    private readonly DeviceChoice _device = new();

    private readonly Option<long?> _memoryLimit = ValueOptions.Size(
        "--memory-limit",
        "Memory to get by with, such as 2G. A mixture of experts that is larger keeps what every token needs and reads experts from the file "
        + "when a token needs them; the same bits.");

    private readonly Option<string?> _repackCache = new("--repack-cache")
    {
        HelpName = "[FOLDER]",
        Arity = ArgumentArity.ZeroOrOne,
        Description = "Keep rearranged weights in a file beside the model, or in a folder, and map it at the next load instead of rearranging "
            + "again; as much disk as the model, the same bits.",
    };

    private readonly Option<bool> _noMap = ValueOptions.Switch(
        "--no-mmap", "Read all weights into the process's own memory at load, instead of using those that need no rearranging where the file is mapped.");

    private readonly Option<bool> _populate = ValueOptions.Switch(
        "--populate", "Bring all weights into memory, and rearrange them, at load instead of when a layer first uses them.");

    private readonly Option<bool> _lock = ValueOptions.Switch(
        "--mlock", "Bring all weights into memory at load and lock them there; where the system's limit forbids it, a warning, and on without.");

    private readonly Option<bool> _noLargePages = ValueOptions.Switch(
        "--no-large-pages", "Do not ask the system for pages of 2 MiB for weights, keys and values (Linux); usually slower.");

    /// <param name="hasThreads">Whether <c>--threads</c> is among them; a command that tries several numbers has its own.</param>
    internal EngineOptions(bool hasThreads = true) => Group = new OptionGroup(
        "Engine",
        [.. hasThreads ? (Option[])[_threads] : [], _pin, _isa, _activations, _cacheType, _keyType, _valueType, _mla, _promptChunk, _noRepack, _noEmit]);

    /// <summary>The options, for help and parsing.</summary>
    internal OptionGroup Group { get; }

    /// <summary>Those that say where weights lie; none changes a bit.</summary>
    internal OptionGroup Memory => new("Memory", [_memoryLimit, _repackCache, _noMap, _populate, _lock, _noLargePages]);

    /// <summary>Those that say what runs on a device.</summary>
    internal OptionGroup Device => _device.Group;

    /// <summary>Those that stretch positions.</summary>
    internal OptionGroup Positions => _rope.Group;

    /// <summary>The chunk asked for, or null.</summary>
    internal int? PromptChunk(ParseResult parsed) => parsed.GetValue(_promptChunk);

    /// <summary>What the command line says.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="streams">Where to say what cannot be had.</param>
    /// <param name="mostRows">Bounds the rows of a batch where no chunk is given.</param>
    /// <param name="context">The length that texts are declared to have, where the command has an option for it.</param>
    /// <param name="positions">The length that they have, where the command knows it otherwise.</param>
    /// <param name="texts">How many texts there are at once.</param>
    internal ModelOptions Read(
        ParseResult parsed, CommandStreams streams, int? mostRows = null, int? context = null, int? positions = null, int texts = 1)
    {
        var standard = new ModelOptions();
        return standard with
        {
            Threads = parsed.GetValue(_threads) ?? standard.Threads,
            Pin = parsed.GetValue(_pin),
            Isa = parsed.GetValue(_isa) ?? standard.Isa,
            Activations = parsed.GetValue(_activations) ?? standard.Activations,
            CacheType = parsed.GetValue(_keyType) ?? parsed.GetValue(_cacheType) ?? standard.CacheType,
            ValueCacheType = parsed.GetValue(_valueType) ?? parsed.GetValue(_cacheType) ?? standard.CacheType,
            Mla = parsed.GetValue(_mla) ?? standard.Mla,
            Repack = !parsed.GetValue(_noRepack),
            Emit = !parsed.GetValue(_noEmit),
            Rope = _rope.Read(parsed, context),
            Device = _device.Read(parsed, positions ?? context, texts),
            MemoryLimit = parsed.GetValue(_memoryLimit),
            Memory = new MemoryOptions
            {
                Map = !parsed.GetValue(_noMap),
                Populate = parsed.GetValue(_populate),
                Lock = parsed.GetValue(_lock),
                LargePages = !parsed.GetValue(_noLargePages),
                RepackCache = RepackCache(parsed),
            },
            Warn = warning => streams.Error.WriteLine($"pure: warning: {warning}"),
            MaxBatchRows = parsed.GetValue(_promptChunk) ?? mostRows ?? standard.MaxBatchRows,
        };
    }

    private string? RepackCache(ParseResult parsed)
    {
        if (parsed.GetResult(_repackCache) is null)
            return null;
        if (parsed.GetValue(_noRepack))
            throw new UsageException("--repack-cache keeps rearranged weights and --no-repack has none; give one of them.");
        string folder = parsed.GetValue(_repackCache) ?? "";
        return folder.Length == 0 || Directory.Exists(folder)
            ? folder
            : throw new UsageException($"--repack-cache is \"{folder}\", expected a folder that exists, or nothing, for the model's own; MODEL goes before it.");
    }

    private static Option<CacheType?> CacheChoice(string name, string description, params string[] aliases)
    {
        Option<CacheType?> choice = ValueOptions.Choice(
            name, description,
            ("f32", CacheType.F32), ("f16", CacheType.F16), ("bf16", CacheType.BF16), ("q8_0", CacheType.Q8_0), ("q4_0", CacheType.Q4_0));
        foreach (string alias in aliases)
            choice.Aliases.Add(alias);
        return choice;
    }
}
