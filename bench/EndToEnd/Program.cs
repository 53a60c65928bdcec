using Pure.Bench.EndToEnd;
using Pure.Chat;
using Pure.Engine;
using Pure.Engine.Generation;
using Pure.Engine.Models;
using Pure.Serve;
using Pure.Serve.Benchmark;

string? temporary = null;
try
{
    var arguments = Arguments.Parse(args);
    if (arguments.WantsHelp)
    {
        Console.WriteLine(Arguments.Help);
        return 0;
    }

    if (arguments.Plot is { } svg)
    {
        var plot = new Plot(arguments.Reports);
        Console.Write(plot.ToMarkdown());
        File.WriteAllText(svg, plot.ToSvg());
        return 0;
    }

    if (arguments.Load is { } url)
    {
        using var load = new Load(url, arguments.Clients is [var clients] ? clients : 64, TimeSpan.FromMinutes(arguments.Minutes), arguments.Process);
        string outcome = await load.RunAsync(Machine.Describe(), "dotnet run -c Release --project bench/EndToEnd -- " + string.Join(' ', args));
        Console.Write(outcome);
        if (arguments.Out is { } target)
            File.WriteAllText(target + ".md", outcome);
        return outcome.Contains("LOST", StringComparison.Ordinal) || outcome.Contains("MIXED", StringComparison.Ordinal)
            || outcome.Contains("UNEXPECTED", StringComparison.Ordinal) ? 1 : 0;
    }

    BenchModel source = arguments.Source();
    if (source.Shape is not null)
    {
        temporary = Path.Combine(Path.GetTempPath(), $"{source.Shape.Name}-{source.Mix!.Name}-{Environment.ProcessId}.gguf");
        source.Export(temporary);
        source = source with { Path = temporary };
    }

    if (arguments.Guess is not null || arguments.Clients.Count > 0)
    {
        string table = arguments.Guess is { } guess ? Guess(arguments, source, guess) : Together(arguments, source);
        Console.Write(table);
        if (arguments.Out is { } target)
            File.WriteAllText(target + ".md", table);
        return 0;
    }

    Report report = Measure(arguments, source);
    Console.Write(arguments.Json ? report.ToJson() : report.ToMarkdown());
    if (arguments.Out is { } path)
    {
        File.WriteAllText(path + ".md", report.ToMarkdown());
        File.WriteAllText(path + ".json", report.ToJson());
    }

    return 0;
}
catch (Exception error) when (error is FormatException or UsageException or InvalidRequestException or ModelFormatException)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
finally
{
    if (temporary is not null)
        File.Delete(temporary);
}

string Guess(Arguments arguments, BenchModel source, string how)
{
    Machine machine = Machine.Describe();
    Speculation speculation = how switch
    {
        "lookup" => Speculation.Lookup,
        "nextn" => Speculation.NextTokens,
        _ => Speculation.DraftModel,
    };
    var guessing = new Guessing(speculation, arguments.Draft);
    foreach (int threads in arguments.Threads)
    {
        ModelOptions options = arguments.Options with { Threads = threads };
        if (source.Shape is not null)
        {
            using Model random = source.Load(options);
            guessing.Measure(random, arguments.Generate, arguments.Runs);
            continue;
        }

        using LanguageModel model = source.Path is null ? LanguageModel.LoadDefault(options) : LanguageModel.Load(source.Path, options);
        guessing.Measure(model, speculation == Speculation.DraftModel ? how : null, arguments.Texts, arguments.Generate, arguments.Runs);
    }

    return guessing.ToMarkdown(
        machine, "dotnet run -c Release --project bench/EndToEnd -- " + string.Join(' ', args), arguments.Runs);
}

string Together(Arguments arguments, BenchModel source)
{
    Machine machine = Machine.Describe();
    var company = new Company(arguments.Clients, arguments.Prompt, arguments.Generate, arguments.Runs);
    foreach (int threads in arguments.Threads)
    {
        using Model model = source.Load(arguments.Options with { Threads = threads });
        company.Measure(model, source.Shape is null ? model.Info.Name : $"{source.Shape.Name} {source.Mix!.Name}");
    }

    return company.ToMarkdown(machine, "dotnet run -c Release --project bench/EndToEnd -- " + string.Join(' ', args));
}

Report Measure(Arguments arguments, BenchModel source)
{
    Machine machine = Machine.Describe();
    if (arguments.Peers.Count > 0 && source.Path is null)
        throw new FormatException("Peers read files; name a model or a --shape.");
    List<Row> rows = [];
    Report? report = null;
    foreach (int threads in arguments.Threads)
    {
        using Model model = source.Load(arguments.Options with { Threads = threads });
        using var ours = new BenchRun(model, new BenchCase(arguments.Prompt, arguments.Generate, Depth: 0, Batch: 1, arguments.Runs));
        var bandwidth = new ReadBandwidth(model.Threads);
        var theirs = new List<(double Prompt, double Generated)>[arguments.Peers.Count];
        for (int run = 0; run < arguments.Runs; run++)
        {
            ours.Repeat(bandwidth, CancellationToken.None);
            for (int peer = 0; peer < theirs.Length; peer++)
                (theirs[peer] ??= []).Add(arguments.Peers[peer].Measure(source.Path!, arguments.Prompt, arguments.Generate, model.Threads));
        }

        long perToken = WeightTraffic.BytesPerToken(model.File);
        rows.Add(Row($"pp {arguments.Prompt}", ours.Prefill!.Value, null, null, speeds => speeds.Prompt));
        rows.Add(Row(
            $"tg {arguments.Generate}", ours.Decode!.Value, ours.Decode.Value.Median * perToken, ours.Bandwidth!.Value.Median, speeds => speeds.Generated));
        report = new Report(
            machine, "dotnet run -c Release --project bench/EndToEnd -- " + string.Join(' ', args), model.Info.Name, model.Info.WeightBytes,
            perToken, arguments.Runs, rows);

        Row Row(string test, Measured speed, double? read, double? roof, Func<(double Prompt, double Generated), double> pick) => new(
            test, $"{model.Isa}".ToLowerInvariant(), $"{arguments.Options.Activations}".ToLowerInvariant(), model.Threads, speed, read, roof,
            [.. arguments.Peers.Select((peer, index) => new PeerSpeed(peer.Name, Measured.Of(theirs[index].Select(pick))!.Value))]);
    }

    return report!;
}
