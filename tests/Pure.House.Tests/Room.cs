namespace Pure.House.Tests;

/// <summary>One room of the house, and what it may use beside the framework: its arrows.</summary>
/// <param name="Folder">Its folder at the root.</param>
/// <param name="AssemblyName">What it compiles to.</param>
/// <param name="MayUse">Assemblies it may name; an entry that ends with a dot allows every assembly whose name starts so.</param>
internal sealed record Room(string Folder, string AssemblyName, params string[] MayUse)
{
    /// <summary>Every room that ships. Arrows go only as written here; gpu is found at run time, and so is in no list.</summary>
    public static IReadOnlyList<Room> All { get; } =
    [
        new("engine", "Pure.Engine", "System.Numerics.Tensors"),
        new("tokenizer", "Pure.Tokenizers"),
        // Google.Protobuf: Microsoft.ML.Tokenizers brings it along.
        new("tokenizer/MicrosoftML", "Pure.Tokenizers.MicrosoftML", "Pure.Tokenizers", "Microsoft.ML.Tokenizers", "Google.Protobuf")
        {
            Switch = "WithMicrosoftML",
        },
        new("gpu", "Pure.Gpu", "Pure.Engine", "ILGPU", "ILGPU.Algorithms") { Switch = "WithILGPU" },
        new("chat", "Pure.Chat", "Pure.Engine", "Pure.Tokenizers", "Microsoft.Extensions.AI.Abstractions"),
        new("serve", "pure", "Pure.Chat", "Pure.Engine", "Pure.Tokenizers", "Microsoft.Extensions.AI.Abstractions",
            "System.CommandLine", "Spectre.Console", "OpenTelemetry", "OpenTelemetry.",
            "Microsoft.AspNetCore", "Microsoft.AspNetCore.", "Microsoft.Extensions."),
    ];

    /// <summary>The rooms that are libraries: those with a public API.</summary>
    public static IEnumerable<Room> Libraries => All.Where(room => room.Folder != "serve");

    /// <summary>The property that a build needs to have this room; none if every build has it.</summary>
    public string? Switch { get; init; }

    public static Room Named(string assemblyName) => All.Single(room => room.AssemblyName == assemblyName);

    /// <summary>Skips the test if this room is optional, and this build left it out.</summary>
    public void SkipIfLeftOut()
    {
        if (Switch is not null && !File.Exists(Path.Combine(AppContext.BaseDirectory, AssemblyName + ".dll")))
            Assert.Skip($"{AssemblyName} is left out of this build; -p:{Switch}=true has it");
    }

    public bool Allows(string assembly) =>
        MayUse.Any(name => name.EndsWith('.') ? assembly.StartsWith(name, StringComparison.Ordinal) : assembly == name);

    public override string ToString() => Folder;
}
