using System.Text.RegularExpressions;

namespace Pure.Engine.Tests.Formats;

/// <summary>Bad input must be answered by one sentence that holds the facts.</summary>
internal static partial class Refusal
{
    public static void Of(Func<object?> action, params string[] facts) =>
        Check(Assert.Throws<ModelFormatException>(() => { action(); }).Message, facts);

    /// <summary>One line, one full stop at its end, all the facts.</summary>
    public static void Check(string message, params string[] facts)
    {
        foreach (string fact in facts)
            Assert.Contains(fact, message, StringComparison.Ordinal);
        Assert.DoesNotContain(message, char.IsControl);
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        Assert.DoesNotContain(". ", QuotedNames().Replace(message, "…"), StringComparison.Ordinal);
    }

    [GeneratedRegex("'.*'")]
    private static partial Regex QuotedNames();
}
