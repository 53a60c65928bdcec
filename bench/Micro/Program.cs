using System.Globalization;
using BenchmarkDotNet.Running;
using Pure.Bench.Micro;

// "table [TYPE…]" prints the table of kernels; everything else is BenchmarkDotNet's.
if (args is ["table", .. string[] types])
{
    CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
    Console.Write(KernelTable.Measure(types));
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(KernelTable).Assembly).Run(args);
