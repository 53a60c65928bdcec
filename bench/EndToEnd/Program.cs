using Pure.Bench.EndToEnd;
using Pure.Chat;
using Pure.Engine;
using Pure.Engine.Models;

try
{
    var arguments = Arguments.Parse(args);
    if (arguments.WantsHelp)
    {
        Console.WriteLine(Arguments.Help);
        return 0;
    }

    Report report = Measure(arguments);
    Console.Write(arguments.Json ? report.ToJson() : report.ToMarkdown());
    if (arguments.Out is { } path)
    {
        File.WriteAllText(path + ".md", report.ToMarkdown());
        File.WriteAllText(path + ".json", report.ToJson());
    }

    return 0;
}
catch (Exception error) when (error is FormatException or InvalidRequestException or ModelFormatException)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}

Report Measure(Arguments arguments)
{
    Machine machine = Machine.Describe();
    List<Row> rows = [];
    Report? report = null;
    foreach (int threads in arguments.Threads)
    {
        ModelOptions options = arguments.Options with { Threads = threads };
        using LanguageModel language = arguments.Model is { } path ? LanguageModel.Load(path, options) : LanguageModel.LoadDefault(options);
        Model model = language.Model;
        int context = model.Info.ContextLength;
        if (arguments.Prompt + arguments.Generate > context + 1)
            throw new FormatException($"{arguments.Prompt} + {arguments.Generate} tokens do not fit the model's context of {context}.");

        Measurement.Ours(model, arguments);
        List<Speeds> ours = [], peers = [];
        for (int run = 0; run < arguments.Runs; run++)
        {
            ours.Add(Measurement.Ours(model, arguments));
            if (arguments.Peer is { } peer)
                peers.Add(Measurement.Peer(peer, arguments, arguments.Model ?? "", model.Threads));
        }

        long perToken = WeightTraffic.BytesPerToken(model.File);
        double bandwidth = ReadBandwidth.Measure(model.Threads) / 1e9;
        rows.Add(Row($"pp {arguments.Prompt}", speeds => speeds.Prompt, null));
        rows.Add(Row($"tg {arguments.Generate}", speeds => speeds.Generated, bandwidth));
        report = new Report(
            machine, "dotnet run -c Release --project bench/EndToEnd -- " + string.Join(' ', args), model.Info.Name, model.Info.WeightBytes,
            perToken, arguments.Runs, rows);

        Row Row(string test, Func<Speeds, double> speed, double? roof)
        {
            double median = Pure.Bench.EndToEnd.Row.MedianOf(ours.Select(speed));
            return new Row(
                test, $"{model.Isa}".ToLowerInvariant(), $"{options.Activations}".ToLowerInvariant(), model.Threads,
                median, ours.Min(speed), ours.Max(speed),
                roof is null ? null : median * perToken / 1e9, roof, peers.Count == 0 ? null : Pure.Bench.EndToEnd.Row.MedianOf(peers.Select(speed)));
        }
    }

    return report!;
}
