namespace Pure.Chat.Tests;

/// <summary>Fixtures beside the repository (<c>../shared</c>) that a clone does not carry.</summary>
internal static class Shared
{
    /// <summary>A path in <c>../shared</c>; the test is skipped when there is nothing.</summary>
    public static string Path(params string[] parts)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Pure.sln")))
            folder = folder.Parent;
        string path = System.IO.Path.Combine([folder?.FullName ?? "", "..", "shared", .. parts]);
        if (!File.Exists(path) && !Directory.Exists(path))
            Assert.Skip($"needs ../shared/{string.Join('/', parts)}, which is not beside this clone");
        return System.IO.Path.GetFullPath(path);
    }
}
