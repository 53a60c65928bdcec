using System.Reflection;

namespace Pure.House.Tests;

/// <summary>The public API of each library is written down in PublicApi/, and changes only knowingly.</summary>
public sealed class PublicApiTests
{
    private const string ApproveVariable = "PURE_APPROVE";

    public static TheoryData<string> Libraries => [.. Room.Libraries.Select(room => room.AssemblyName)];

    [Theory, MemberData(nameof(Libraries))]
    public void Public_api_is_the_approved_one(string library)
    {
        Room.Named(library).SkipIfLeftOut();
        string path = Path.Combine(SourceFolder(), "PublicApi", library + ".txt");
        string actual = PublicApiListing.Of(Assembly.Load(library));
        if (Environment.GetEnvironmentVariable(ApproveVariable) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        string approved = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        Assert.True(
            approved == actual,
            $"The public API of {library} is not the approved one. To approve it:\n" +
            $"  {ApproveVariable}=1 dotnet test tests/Pure.House.Tests -c Release\n" + Difference(approved, actual));
    }

    private static string Difference(string approved, string actual)
    {
        string[] before = approved.Split('\n'), after = actual.Split('\n');
        return string.Join('\n', before.Except(after).Select(line => "- " + line).Concat(after.Except(before).Select(line => "+ " + line)));
    }

    /// <summary>The source folder, found from the root: a deterministic build hides the paths that a compiler would give.</summary>
    private static string SourceFolder() => Path.Combine(Repository.Root, "tests", typeof(PublicApiTests).Assembly.GetName().Name!);
}
