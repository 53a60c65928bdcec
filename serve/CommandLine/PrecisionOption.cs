using System.CommandLine;

namespace Pure.Serve.CommandLine;

/// <summary>What to compute with: the engine's floats, or the slow reference.</summary>
internal enum Precision
{
    /// <summary>The engine as it runs.</summary>
    F32,

    /// <summary>Plain loops in double precision, which share no arithmetic with the engine.</summary>
    F64,
}

/// <summary>The option <c>--precision</c>.</summary>
internal static class PrecisionOption
{
    internal static Option<Precision?> Create() => ValueOptions.Choice(
        "--precision",
        "f32: the engine as it runs; f64: the reference in double precision, slow and without engine options. Default: f32.",
        ("f32", Precision.F32),
        ("f64", Precision.F64));
}
