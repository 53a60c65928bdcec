namespace Pure.House.Tests;

/// <summary>If a file passes about 500 lines, a second idea has moved in.</summary>
public sealed class FileSizeTests
{
    private const int MostLines = 600;

    [Fact]
    public void No_file_holds_a_second_idea()
    {
        string[] tooLong =
        [
            .. Repository.SourceFiles
                .Select(path => (Path: path, Lines: Repository.Read(path).Count(character => character == '\n')))
                .Where(file => file.Lines > MostLines)
                .Select(file => $"{file.Path} ({file.Lines} lines)"),
        ];

        Assert.True(tooLong.Length == 0, $"Cut in two, by idea: {string.Join(", ", tooLong)}; {MostLines} lines are the most.");
    }
}
