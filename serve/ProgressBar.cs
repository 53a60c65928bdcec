using Spectre.Console;

namespace Pure.Serve;

/// <summary>Shows how far long work has come, on standard error and only to a person.</summary>
internal static class ProgressBar
{
    /// <summary>Runs <paramref name="work"/>, which says how many of <paramref name="total"/> steps are done.</summary>
    internal static void Run(CommandStreams streams, string title, long total, Action<Action<long>> work)
    {
        if (!streams.ErrorIsTerminal)
        {
            work(_ => { });
            return;
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(streams.Error) });
        console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: total);
                work(done => task.Value = done);
            });
    }
}
