using System.Diagnostics;
using System.Text.RegularExpressions;
using Pure.Engine.Quantization;

namespace Pure.House.Tests;

/// <summary>README.md holds nothing that was not compiled or run.</summary>
public sealed partial class ReadmeTests
{
    private const string OwnCommand = "pure ";
    private const string HashOption = "--logits-hash";
    private const string ThroughSources = "dotnet run -c Release --project serve -- ";
    private const string Server = "serve ";
    private const int MostMilliseconds = 120_000;

    public static TheoryData<string> SampleBlocks => [.. Readme.Blocks("csharp")];

    public static TheoryData<string> PureCommands =>
    [
        .. Readme.Commands
            .Where(line => line.StartsWith(OwnCommand, StringComparison.Ordinal) || line.StartsWith(ThroughSources, StringComparison.Ordinal))
            .Select(line => line.StartsWith(OwnCommand, StringComparison.Ordinal) ? line[OwnCommand.Length..] : line[ThroughSources.Length..])
            .Distinct(),
    ];

    [Fact]
    public void It_opens_with_the_commands_to_the_first_token()
    {
        string[] commands = [.. Readme.Commands];

        Assert.Equal(ThroughSources + "run -p \"Once upon a time\"", commands[0]);
        Assert.Equal("dotnet test Pure.sln -c Release", commands[1]);
    }

    /// <summary>Each sample is in Samples/, which this project compiles, between two lines "// README".</summary>
    [Theory, MemberData(nameof(SampleBlocks))]
    public void Samples_are_compiled(string sample)
    {
        string[] lines = sample.Split('\n');
        string[] usings = [.. lines.TakeWhile(line => line.StartsWith("using ", StringComparison.Ordinal) && !line.Contains('='))];
        string body = string.Join('\n', lines.Skip(usings.Length)).Trim('\n');

        Assert.True(
            Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests/Pure.House.Tests/Samples"), "*.cs")
                .Select(path => File.ReadAllText(path).ReplaceLineEndings("\n"))
                .Any(source => Parts(source).Contains(body) && usings.All(directive => source.Contains(directive + "\n", StringComparison.Ordinal))),
            $"Put this sample of README.md in tests/Pure.House.Tests/Samples, between two lines \"// README\":\n{sample}");
    }

    [Fact]
    public async Task Samples_write_stories()
    {
        foreach (Func<Task> sample in new[] { Samples.Story.Write, Samples.Conversation.Write, Samples.Together.Write, Samples.Together.Chat })
        {
            TextWriter console = Console.Out;
            using var story = new StringWriter();
            Console.SetOut(story);
            try
            {
                await sample();
            }
            finally
            {
                Console.SetOut(console);
            }

            Assert.True(story.ToString().Split(' ').Length > 20, story.ToString());
        }
    }

    /// <summary>
    /// In a folder with the files that README speaks of: model.gguf (the embedded model's file) and story.txt. Where it promises the
    /// hash of the logits, it is this machine's too.
    /// </summary>
    [Theory, MemberData(nameof(PureCommands))]
    public async Task Commands_run(string arguments)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("pure-readme-");
        try
        {
            File.Copy(Path.Combine(Repository.Root, "chat/Models/stories-moe/stories-moe-q8_0.gguf"), Path.Combine(folder.FullName, "model.gguf"));
            await File.WriteAllTextAsync(
                Path.Combine(folder.FullName, "story.txt"), "Once upon a time, there was a little dog. He was happy.", TestContext.Current.CancellationToken);
            using Process process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "pure.dll"), .. Words(arguments)])
            {
                WorkingDirectory = folder.FullName,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            process.StandardInput.Close();
            if (arguments.StartsWith(Server, StringComparison.Ordinal))
                await EndServerAsync(process);
            Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            if (!process.WaitForExit(MostMilliseconds))
                process.Kill(entireProcessTree: true);

            if (process.ExitCode == 2 && arguments.Contains("--device", StringComparison.Ordinal) && (await error).Contains("GPU plugin", StringComparison.Ordinal))
                Assert.Skip($"pure {arguments} needs a device: {await error}");
            Assert.True(process.ExitCode == 0, $"pure {arguments}\nended with code {process.ExitCode}:\n{await output}\n{await error}");
            if (arguments.Contains(HashOption, StringComparison.Ordinal))
                Assert.Equal(Readme.Blocks("text").Single(), (await error).TrimEnd().Split('\n')[^1]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Its_table_names_every_family_and_element_type()
    {
        string table = string.Join('\n', Repository.Read("README.md").Split('\n').Where(line => line.StartsWith('|')));
        string[] families = [.. FamilyLine().Matches(Repository.Read("engine/Models/Family.cs")).Select(match => $"`{match.Groups[1].Value}`")];
        string[] missing = [.. families.Concat(Enum.GetNames<ElementType>()).Where(name => !table.Contains(name, StringComparison.Ordinal))];

        Assert.NotEmpty(families);
        Assert.True(missing.Length == 0, $"Say in README.md, in its table of what works: {string.Join(", ", missing)}.");
    }

    [Fact]
    public void Links_lead_somewhere()
    {
        string[] broken =
        [
            .. RelativeLink().Matches(Repository.Read("README.md") + Repository.Read("CONTRIBUTING.md"))
                .Select(match => match.Groups[1].Value)
                .Where(target => !Path.Exists(Path.Combine(Repository.Root, target))),
        ];

        Assert.True(broken.Length == 0, $"No such files: {string.Join(", ", broken)}.");
    }

    /// <summary>A server says when it is ready, and ends by a signal.</summary>
    private static async Task EndServerAsync(Process server)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A server is ended by SIGTERM.");
        await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        using Process kill = Process.Start("kill", [$"{server.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>What stands between pairs of "// README" lines, moved to the left margin.</summary>
    private static IEnumerable<string> Parts(string source) =>
        MarkedPart().Matches(source).Select(match => ("\n" + match.Groups[2].Value).Replace("\n" + match.Groups[1].Value, "\n", StringComparison.Ordinal).Trim('\n'));

    private static IEnumerable<string> Words(string arguments) =>
        Word().Matches(arguments).Select(match => match.Value.Trim('"'));

    [GeneratedRegex(@"^( *)// README\n(.*?)^ *// README$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex MarkedPart();

    [GeneratedRegex("\"[^\"]*\"|\\S+")]
    private static partial Regex Word();

    [GeneratedRegex("""^ *\["([^"]+)"\] = """, RegexOptions.Multiline)]
    private static partial Regex FamilyLine();

    [GeneratedRegex(@"\]\((?!https?:|#)([^)#]+)")]
    private static partial Regex RelativeLink();
}
