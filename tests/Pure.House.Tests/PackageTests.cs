using System.IO.Compression;
using System.Xml.Linq;

namespace Pure.House.Tests;

/// <summary>What is in the packages that <c>dotnet pack Pure.sln -o FOLDER</c> wrote.</summary>
public sealed class PackageTests
{
    private const string FolderVariable = "PURE_PACKAGES";

    public static TheoryData<string> Libraries => [.. Room.Libraries.Select(room => room.AssemblyName)];

    [Theory, MemberData(nameof(Libraries))]
    public void A_library_package_holds_assembly_documentation_readme_and_licence(string id)
    {
        Room.Named(id).SkipIfLeftOut();
        using ZipArchive package = Open(id, "nupkg");
        string[] files = [.. package.Entries.Select(entry => entry.FullName)];

        Assert.Contains($"lib/net10.0/{id}.dll", files);
        Assert.Contains($"lib/net10.0/{id}.xml", files);
        Assert.Contains("README.md", files);
        Assert.Contains("LICENSE", files);
        Assert.Equal(Repository.Read("README.md"), Text(package, "README.md"));
    }

    [Theory, MemberData(nameof(Libraries))]
    public void A_library_package_says_what_it_is_and_needs_only_what_the_house_allows(string id)
    {
        Room.Named(id).SkipIfLeftOut();
        using ZipArchive package = Open(id, "nupkg");
        var specification = XDocument.Parse(Text(package, id + ".nuspec"));

        Assert.Equal(id, Value("id"));
        Assert.Equal("MIT", Value("license"));
        Assert.Equal("README.md", Value("readme"));
        Assert.StartsWith("Pure", Value("description"), StringComparison.Ordinal);
        Room room = Room.Named(id);
        Assert.All(Elements("dependency"), dependency => Assert.True(room.Allows((string)dependency.Attribute("id")!), dependency.ToString()));

        IEnumerable<XElement> Elements(string name) => specification.Descendants().Where(element => element.Name.LocalName == name);
        string Value(string name) => Elements(name).Single().Value;
    }

    [Theory, MemberData(nameof(Libraries))]
    public void Symbols_are_packed_beside_it(string id)
    {
        Room.Named(id).SkipIfLeftOut();
        using ZipArchive package = Open(id, "snupkg");

        Assert.Contains($"lib/net10.0/{id}.pdb", package.Entries.Select(entry => entry.FullName));
    }

    [Fact]
    public void The_chat_package_carries_the_card_of_its_model()
    {
        using ZipArchive package = Open("Pure.Chat", "nupkg");

        Assert.Contains("MIT licence", Text(package, "models/stories-moe/MODEL_CARD.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_tool_package_is_a_tool_named_pure()
    {
        using ZipArchive package = Open("Pure.Tool", "nupkg");
        ZipArchiveEntry settings = package.Entries.Single(entry => entry.Name == "DotnetToolSettings.xml");

        Assert.Contains("DotnetTool", Text(package, "Pure.Tool.nuspec"), StringComparison.Ordinal);
        Assert.Contains("Name=\"pure\"", Text(package, settings.FullName), StringComparison.Ordinal);
        Assert.Contains("README.md", package.Entries.Select(entry => entry.FullName));
        Assert.Contains("LICENSE", package.Entries.Select(entry => entry.FullName));
    }

    private static ZipArchive Open(string id, string extension)
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (string.IsNullOrEmpty(folder))
            Assert.Skip($"{FolderVariable} names no folder of packages; .ci/run makes them and sets it.");
        string path = Directory.EnumerateFiles(folder, "*." + extension).Single(path =>
            Path.GetFileName(path).StartsWith(id + ".", StringComparison.Ordinal) && char.IsDigit(Path.GetFileName(path)[id.Length + 1]));
        return ZipFile.OpenRead(path);
    }

    private static string Text(ZipArchive package, string name)
    {
        ZipArchiveEntry entry = package.GetEntry(name) ?? throw new FileNotFoundException($"The package holds no {name}.");
        using var reader = new StreamReader(entry.Open());
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
