namespace Pure.House.Tests;

/// <summary>README.md, taken apart.</summary>
internal static class Readme
{
    private const string Fence = "```";

    /// <summary>The fenced blocks of one language, without their fences.</summary>
    public static IEnumerable<string> Blocks(string language)
    {
        var block = new List<string>();
        string? open = null;
        foreach (string line in Repository.Read("README.md").Split('\n'))
        {
            if (open is null && line.StartsWith(Fence, StringComparison.Ordinal))
            {
                open = line[Fence.Length..].Trim();
            }
            else if (open is not null && line == Fence)
            {
                if (open == language)
                    yield return string.Join('\n', block);
                block.Clear();
                open = null;
            }
            else if (open is not null)
            {
                block.Add(line);
            }
        }
    }

    /// <summary>The commands in its <c>sh</c> blocks, without comments.</summary>
    public static IEnumerable<string> Commands =>
        Blocks("sh").SelectMany(block => block.Split('\n')).Select(line => line.Split(" #")[0].Trim()).Where(line => line.Length > 0 && line[0] != '#');
}
