namespace Pure.House.Tests;

/// <summary>The checkout that these tests were built in.</summary>
internal static class Repository
{
    /// <summary>The rooms whose code is shipped.</summary>
    public static IReadOnlyList<string> Rooms { get; } = ["engine", "tokenizer", "chat", "serve"];

    /// <summary>The folder that holds Pure.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Shipped source files, as paths relative to the root with forward slashes.</summary>
    public static IEnumerable<string> SourceFiles => Rooms.SelectMany(SourceFilesOf);

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path)).ReplaceLineEndings("\n");

    private static IEnumerable<string> SourceFilesOf(string room) =>
        Directory.EnumerateFiles(Path.Combine(Root, room), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(folder => folder is "bin" or "obj"))
            .Order(StringComparer.Ordinal);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Pure.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Pure.sln.");
    }
}
