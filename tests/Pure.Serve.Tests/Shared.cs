namespace Pure.Serve.Tests;

/// <summary>Files of the folder <c>shared</c> beside the repository, which not every machine has.</summary>
internal static class Shared
{
    /// <summary>The path of a file there; skips the test where it is missing.</summary>
    internal static string Path(string relative)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(folder.FullName, "Pure.sln")))
                continue;
            string path = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder.FullName, "..", "shared", relative));
            if (System.IO.Path.Exists(path))
                return path;
        }

        Assert.Skip($"../shared/{relative} is not on this machine.");
        return "";
    }
}
