using System.CommandLine;
using Pure.Chat;
using Pure.Engine;
using Pure.Engine.Generation;
using Pure.Engine.Models;
using Pure.Serve.CommandLine;
using Pure.Serve.Http;

namespace Pure.Serve.Commands;

/// <summary><c>pure serve</c>: a model behind OpenAI's interface.</summary>
internal sealed class ServeCommand : PureCommand
{
    private const int DefaultContext = 8192;
    private const string KeyVariable = "PURE_API_KEY";
    private static readonly ServerOptions Standard = new();

    private readonly ModelArgument _model = new("MODEL");
    private readonly EngineOptions _engine = new();
    private readonly SamplingChoice _sampling = new();

    private readonly Option<string?> _host = ValueOptions.Text(
        "--host", [], "ADDRESS", $"Address to listen on; 0.0.0.0 is every one of this machine. Default: {Standard.Host}.");

    private readonly Option<int> _port = ValueOptions.Number<int>(
        "--port", [], "N", $"Port to listen on; 0 takes a free one. Default: {Standard.Port}.", "from 0 to 65535",
        port => port is >= 0 and <= 65535, Standard.Port);

    private readonly Option<string[]> _key = new("--api-key")
    {
        HelpName = "KEY",
        Description = $"A key that requests must carry; repeatable. Others can see command lines: prefer a file, or the variable {KeyVariable}.",
    };

    private readonly Option<string?> _keyFile = ValueOptions.Text("--api-key-file", [], "F", "A file with keys, one on each line.");

    private readonly Option<string?> _alias = ValueOptions.Text(
        "--alias", ["-a"], "NAME", "What requests call the model. Default: the name of its file or folder.");

    private readonly Option<int?> _context = ValueOptions.OptionalNumber<int>(
        "--ctx-size", ["-c", "--context"], "N",
        $"Most tokens of a prompt and its continuation. Default: {DefaultContext}, or all the model takes if that is less.",
        "from 1 up", count => count > 0);

    private readonly Option<int?> _cache = ValueOptions.OptionalNumber<int>(
        "--cache-tokens", [], "N",
        "Tokens of all texts together whose keys and values have room; beginnings that texts share count once, and stay for later ones. "
        + "Default: room for --max-concurrent texts of --ctx-size, but at most a quarter of the memory.",
        "from 1 up", count => count > 0);

    private readonly Option<bool> _separate = new("--cache-per-key")
    {
        Description = "Share computed beginnings only among requests with the same key, so that none can tell from the time what another has sent.",
    };

    private readonly Option<int> _concurrent = ValueOptions.Number<int>(
        "--max-concurrent", [], "N", $"Most texts that are written at once. Default: {Standard.MaxConcurrent}.", "from 1 to 4096",
        count => count is >= 1 and <= 4096, Standard.MaxConcurrent);

    private readonly Option<int> _queue = ValueOptions.Number<int>(
        "--max-queue", [], "N", $"Most texts that wait; more are refused with status 429. Default: {Standard.MaxQueue}.", "from 0 up",
        count => count >= 0, Standard.MaxQueue);

    private readonly Option<long?> _body = ValueOptions.Size("--max-body", "Most bytes of a request, such as 500K. Default: 8M.");

    private readonly Option<int> _timeout = Seconds(
        "--request-timeout", "How long one request may take, its wait included.", Standard.RequestTimeout);

    private readonly Option<int> _drain = Seconds(
        "--drain-timeout", "How long running requests may take to finish after Ctrl-C or SIGTERM.", Standard.DrainLimit);

    internal ServeCommand()
        : base("serve", "Answer requests over HTTP, as OpenAI's interface has them.")
    {
        Add(_model.Argument);
        AddGroups(
            new OptionGroup("Server", [_host, _port, _key, _keyFile, _alias, _context, _cache, _separate, _concurrent, _queue, _body, _timeout, _drain]),
            _sampling.Group,
            _engine.Group,
            _engine.Memory,
            _engine.Device,
            _engine.Positions);
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure serve", "the embedded model at http://127.0.0.1:8080/v1"),
        new("pure serve model.gguf --host 0.0.0.0 --api-key-file keys.txt", "another model, for other machines, with keys"),
        new("pure serve model.gguf -c 4096 --max-concurrent 4 --temp 0.6", "shorter texts, four at once, and a temperature where requests have none"),
        new("MODEL=model.gguf PURE_API_KEY=secret pure serve --port 9000", "model and key from the environment"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "/v1/chat/completions, /v1/completions, /v1/models, /tokenize, /detokenize, /health, /health/live, /health/ready. When it is ready, it "
        + "writes its address to standard output; each request is a line on standard error, without any of its text. After Ctrl-C or SIGTERM it "
        + "lets nobody in, finishes what runs, and ends with code 0; a second one ends it at once.",
        "Where a request leaves sampling open, the options here say it. " + SamplingChoice.Note,
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        ServerOptions options = Read(parsed, streams);
        ModelOptions engine = _engine.Read(parsed, streams, context: parsed.GetValue(_context));
        return ServeAsync(options, () => Load(parsed, engine, streams), streams, cancellation).GetAwaiter().GetResult();
    }

    private static async Task<int> ServeAsync(
        ServerOptions options, Func<ServedModel> load, CommandStreams streams, CancellationToken cancellation)
    {
        Task<ServedModel> loading = Task.Run(load, CancellationToken.None);
        await using HttpServer server = await HttpServer.StartAsync(options, streams.Error);
        try
        {
            ServedModel model = await loading.WaitAsync(cancellation);
            server.Open(model);
            await streams.Output.WriteLineAsync($"pure: {model.Id} answers at {server.Address}");
            await Task.Delay(Timeout.Infinite, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await server.DrainAsync();
        }

        return ExitCode.Success;
    }

    private ServedModel Load(ParseResult parsed, ModelOptions engine, CommandStreams streams)
    {
        LanguageModel model = _model.Load(parsed, engine);
        try
        {
            int limit = model.Model.Info.ContextLength;
            int context = parsed.GetValue(_context) ?? Math.Min(DefaultContext, limit);
            if (context > limit)
                throw new InvalidRequestException($"A context of {context} tokens was asked for; this model takes 1 to {limit}.");
            DeviceChoice.Say(model.Model, streams);
            if (model.Model.MemoryPlan is { } plan)
                streams.Error.WriteLine($"memory      {MemoryFigures.Plan(plan)}");
            int running = parsed.GetValue(_concurrent);
            var scheduling = new SchedulerOptions
            {
                ContextLength = context,
                CachePositions = parsed.GetValue(_cache) ?? CacheFor(model.Model, context, running),
                MaxRunning = Math.Min(running, model.Model.Options.MaxBatchRows),
                MaxWaiting = int.MaxValue - running, // the server's own queue is in front of it
            };
            return new ServedModel(
                parsed.GetValue(_alias) ?? NameOf(_model.Path(parsed)), model, scheduling, SamplingChoice.Settle(_sampling.Read(parsed), model));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Positions for so many texts, in a quarter of the memory; of one text at least, and where a device keeps them no more.</summary>
    private static int CacheFor(Model model, int context, int texts)
    {
        if (model.DevicePlan.Shares.Count > 0)
            return context;
        long room = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 / model.MemoryFor(1).Cache;
        return (int)Math.Clamp(Math.Min((long)context * texts, room), context, int.MaxValue / 2);
    }

    private ServerOptions Read(ParseResult parsed, CommandStreams streams) => new()
    {
        Host = parsed.GetValue(_host) ?? Standard.Host,
        Port = parsed.GetValue(_port),
        Keys = ApiKeys.Read(
            parsed.GetValue(_key) ?? [], parsed.GetValue(_keyFile), Environment.GetEnvironmentVariable(KeyVariable), streams),
        SeparatesKeys = parsed.GetValue(_separate),
        MaxConcurrent = parsed.GetValue(_concurrent),
        MaxQueue = parsed.GetValue(_queue),
        MaxBody = parsed.GetValue(_body) ?? Standard.MaxBody,
        RequestTimeout = TimeSpan.FromSeconds(parsed.GetValue(_timeout)),
        DrainLimit = TimeSpan.FromSeconds(parsed.GetValue(_drain)),
    };

    private static string NameOf(string? path)
    {
        if (path is null)
            return ModelArgument.EmbeddedName;
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        return name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? name[..^".gguf".Length] : name;
    }

    private static Option<int> Seconds(string name, string description, TimeSpan standard) => ValueOptions.Number<int>(
        name, [], "SECONDS", $"{description} Default: {standard.TotalSeconds}.", "from 1 to 86400",
        seconds => seconds is >= 1 and <= 86400, (int)standard.TotalSeconds);
}
