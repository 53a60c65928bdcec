using System.Reflection;
using System.Text.RegularExpressions;

namespace Pure.House.Tests;

/// <summary>Where pointers may be, and where they may be seen.</summary>
public sealed partial class UnsafeFenceTests
{
    private static readonly string[] Fenced = ["engine/Kernels/", "engine/Memory/", "engine/Quantization/"];

    public static TheoryData<string> Libraries => [.. Room.Libraries.Select(room => room.AssemblyName)];

    [Fact]
    public void Unsafe_code_stays_in_kernels_memory_and_quantization()
    {
        string[] strays =
        [
            .. Repository.SourceFiles
                .Where(path => !Fenced.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)))
                .Where(path => UnsafeKeyword().IsMatch(CommentsAndText().Replace(Repository.Read(path), ""))),
        ];

        Assert.True(strays.Length == 0, $"Move the unsafe code of {string.Join(", ", strays)} behind {string.Join(", ", Fenced)}.");
    }

    [Theory]
    [InlineData("unsafe struct S;", true)]
    [InlineData("void F() { unsafe { } }", true)]
    [InlineData("// an unsafe wish", false)]
    [InlineData("/* unsafe */ int x;", false)]
    [InlineData("""var text = "an unsafe wish";""", false)]
    [InlineData("int notunsafe;", false)]
    public void The_keyword_is_told_from_talk_about_it(string code, bool expected) =>
        Assert.Equal(expected, UnsafeKeyword().IsMatch(CommentsAndText().Replace(code, "")));

    [Theory, MemberData(nameof(Libraries))]
    public void Nothing_public_takes_or_returns_a_pointer(string library)
    {
        Room.Named(library).SkipIfLeftOut();
        string[] offenders =
        [
            .. PublicSurface.Types(Assembly.Load(library))
                .SelectMany(type => PublicSurface.Members(type)
                    .Where(member => PublicSurface.SignatureTypes(member).Any(HoldsPointer))
                    .Select(member => $"{type.FullName}.{member.Name}")),
        ];

        Assert.True(offenders.Length == 0, $"Pointers are seen from outside: {string.Join(", ", offenders)}.");
    }

    private static bool HoldsPointer(Type type) =>
        type.IsPointer || type.IsFunctionPointer ||
        (type.HasElementType && HoldsPointer(type.GetElementType()!)) ||
        (type.IsGenericType && type.GetGenericArguments().Any(HoldsPointer));

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex UnsafeKeyword();

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|""""""(.*?)""""""|@""(?:[^""]|"""")*""|""(?:\\.|[^""\\\n])*""", RegexOptions.Singleline)]
    private static partial Regex CommentsAndText();
}
