using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Pure.Bench.Micro;

/// <summary>What one call of a benchmark does, so that its time becomes a speed.</summary>
/// <param name="Operations">Multiplications and additions, or elements.</param>
/// <param name="Bytes">Bytes read from memory.</param>
public readonly record struct Work(double Operations, double Bytes);

/// <summary>A parameter that knows its work.</summary>
public interface IWork
{
    /// <summary>What one call does.</summary>
    Work Work { get; }
}

/// <summary>Adds the columns "G/s" (10^9 operations per second) and "GB/s" to benchmarks whose parameter is an <see cref="IWork"/>.</summary>
internal sealed class SpeedConfig : ManualConfig
{
    public SpeedConfig()
    {
        AddColumn(new SpeedColumn("G/s", "10^9 operations (multiplications and additions, or elements) per second", work => work.Operations));
        AddColumn(new SpeedColumn("GB/s", "10^9 bytes of weights or cache read per second", work => work.Bytes));
    }
}

/// <summary>One speed: an amount per call over the median time of a call.</summary>
internal sealed class SpeedColumn(string name, string legend, Func<Work, double> amount) : IColumn
{
    public string Id => name;

    public string ColumnName => name;

    public string Legend => legend;

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Statistics;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        double? nanoseconds = summary[benchmarkCase]?.ResultStatistics?.Median;
        IWork? work = benchmarkCase.Parameters.Items.Select(item => item.Value).OfType<IWork>().FirstOrDefault();
        return nanoseconds is > 0 && work is not null
            ? (amount(work.Work) / nanoseconds.Value).ToString("F2", CultureInfo.InvariantCulture)
            : "-";
    }

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public bool IsAvailable(Summary summary) => true;
}
