using Pure.Engine.Models;

namespace Pure.Chat.Tests;

/// <summary>The model inside the assembly, loaded once for the tests of a class, with what it is known to write.</summary>
public sealed class DefaultModel : IDisposable
{
    /// <summary>What the float64 reference writes greedily after "Once upon a time", from the F32 weights.</summary>
    internal const string Story =
        ", there was a little girl named Lily. She loved to play with her toys and eat yummy food. One day, she found a big, red " +
        "apple in her room. She was very happy and wanted to eat it.\nLily took";

    /// <summary>The tokens of <see cref="Story"/>.</summary>
    internal static readonly int[] StoryTokens =
    [
        60, 415, 298, 274, 405, 481, 428, 410, 62, 343, 509, 281, 349, 345, 337, 634, 282, 711, 1111, 873, 62, 537, 350, 60,
        391, 529, 274, 369, 60, 736, 1540, 329, 337, 731, 62, 343, 298, 401, 400, 282, 432, 281, 711, 321, 62, 26, 644, 633,
    ];

    internal LanguageModel Model { get; } = LanguageModel.LoadDefault(new ModelOptions { Threads = 2 });

    public void Dispose() => Model.Dispose();
}
