namespace Pure.Engine.Tests;

/// <summary>Fixtures beside the repository (<c>../shared</c>): public data and goldens that a clone does not carry.</summary>
internal static class Shared
{
    /// <summary>A path in <c>../shared</c>; the test is skipped when there is nothing.</summary>
    public static string Path(params string[] parts)
    {
        string path = System.IO.Path.Combine([Repository.Root, "..", "shared", .. parts]);
        if (!File.Exists(path) && !Directory.Exists(path))
            Assert.Skip($"needs ../shared/{string.Join('/', parts)}, which is not beside this clone");
        return System.IO.Path.GetFullPath(path);
    }
}

/// <summary>The clone that the tests run from.</summary>
internal static class Repository
{
    /// <summary>The folder of <c>Pure.sln</c>.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Pure.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No Pure.sln above {AppContext.BaseDirectory}.");
    }
}
