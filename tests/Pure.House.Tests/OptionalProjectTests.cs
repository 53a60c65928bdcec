using System.Xml.Linq;

namespace Pure.House.Tests;

/// <summary>Projects that a build leaves out unless it is told otherwise: see Directory.Build.targets.</summary>
public sealed class OptionalProjectTests
{
    private const string Mark = "MissingSwitch";

    public static TheoryData<string> Switches => [.. Room.All.Select(room => room.Switch).OfType<string>().Distinct()];

    [Fact]
    public void A_project_is_optional_if_its_room_is()
    {
        foreach (Room room in Room.All)
            Assert.Equal(room.Switch, Switch(Directory.EnumerateFiles(Path.Combine(Repository.Root, room.Folder), "*.csproj").Single()));
    }

    [Theory, MemberData(nameof(Switches))]
    public void Who_needs_an_optional_project_is_left_out_with_it(string name)
    {
        string condition = $"'$({name})' == 'true'";
        string[] optional = [.. Room.All.Where(room => room.Switch == name).Select(room => room.AssemblyName + ".csproj")];
        string[] careless =
        [
            .. Projects()
                .Where(project => Switch(project) != name && XDocument.Load(project).Descendants("ProjectReference").Any(reference =>
                    optional.Contains(Path.GetFileName((string?)reference.Attribute("Include"))) && (string?)reference.Attribute("Condition") != condition))
                .Select(project => Path.GetRelativePath(Repository.Root, project)),
        ];

        Assert.True(careless.Length == 0, $"Put Condition=\"{condition}\" on the reference of {string.Join(", ", careless)}.");
    }

    [Theory, MemberData(nameof(Switches))]
    public void A_switch_is_documented(string name) =>
        Assert.Contains($"-p:{name}=true", Repository.Read("CONTRIBUTING.md"), StringComparison.Ordinal);

    private static IEnumerable<string> Projects() =>
        Repository.Rooms.Append("tests").Append("bench")
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.csproj", SearchOption.AllDirectories));

    private static string? Switch(string project)
    {
        XElement? mark = XDocument.Load(project).Descendants(Mark).SingleOrDefault();
        Assert.Equal(mark is null ? null : $"'$({mark.Value})' != 'true'", (string?)mark?.Attribute("Condition"));
        return mark?.Value;
    }
}
