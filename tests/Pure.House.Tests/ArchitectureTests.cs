using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Pure.House.Tests;

/// <summary>The arrows between the rooms, read from what was compiled and from what the projects ask for.</summary>
public sealed class ArchitectureTests
{
    private static readonly HashSet<string> Framework =
        [.. Directory.EnumerateFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "*.dll").Select(path => Path.GetFileNameWithoutExtension(path))];

    public static TheoryData<string> Folders => [.. Room.All.Select(room => room.Folder)];

    [Theory, MemberData(nameof(Folders))]
    public void Compiled_rooms_use_only_what_the_house_allows(string folder)
    {
        Room room = Room.All.Single(room => room.Folder == folder);
        room.SkipIfLeftOut();
        string[] strangers = [.. References(room).Where(name => !Framework.Contains(name) && !room.Allows(name))];

        Assert.True(strangers.Length == 0, Complaint(room, strangers));
    }

    /// <summary>The compiler drops references that no code uses; a package carries them all the same.</summary>
    [Theory, MemberData(nameof(Folders))]
    public void Projects_ask_only_for_what_the_house_allows(string folder)
    {
        Room room = Room.All.Single(room => room.Folder == folder);
        string project = Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.csproj").Single();
        string[] strangers =
        [
            .. XDocument.Load(project).Descendants()
                .Where(element => element.Name.LocalName is "ProjectReference" or "PackageReference" or "Reference")
                .Select(element => (string?)element.Attribute("Include"))
                .OfType<string>()
                .Select(name => name.EndsWith(".csproj", StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(name) : name)
                .Where(name => !room.Allows(name)),
        ];

        Assert.True(strangers.Length == 0, Complaint(room, strangers));
    }

    [Theory, MemberData(nameof(Folders))]
    public void References_are_really_read(string folder)
    {
        Room room = Room.All.Single(room => room.Folder == folder);
        room.SkipIfLeftOut();

        Assert.Contains("System.Runtime", References(room));
    }

    private static List<string> References(Room room)
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, room.AssemblyName + ".dll")));
        MetadataReader metadata = file.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }

    private static string Complaint(Room room, string[] strangers) =>
        $"{room.AssemblyName} uses {string.Join(", ", strangers)}; {room.Folder}/ may use " +
        $"{(room.MayUse.Length == 0 ? "the framework only" : string.Join(", ", room.MayUse) + " and the framework")}.";
}
