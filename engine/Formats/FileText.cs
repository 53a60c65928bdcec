using System.Text;

namespace Pure.Engine.Formats;

/// <summary>Names out of an untrusted file, made fit to stand in one sentence on a terminal.</summary>
internal static class FileText
{
    private const int Longest = 100;

    /// <summary>In quotes, cut, and with control characters (an escape sequence could rewrite the screen) shown as <c>\u001B</c>.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("'");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, Longest)))
        {
            if (char.IsControl(c))
                quoted.Append("\\u").Append(((int)c).ToString("X4", null));
            else
                quoted.Append(c);
        }

        return quoted.Append(text.Length > Longest ? "…'" : "'").ToString();
    }
}
