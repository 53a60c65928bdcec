using System.Text;
using System.Text.RegularExpressions;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>Damage to JSON that mostly leaves it JSON: the reader must look at what it says.</summary>
internal static partial class JsonMutation
{
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "1", "-1", "2", "3", "4", "16", "32", "64", "128", "1e999", "1e-999", "0.5", "2.0", "4294967296",
        "9223372036854775807", "18446744073709551616", "-9223372036854775808", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[1]", "[[1]]",
        "{\"a\":1}", "\"model.norm.weight\"", "\"yarn\"", "\"linear\"", "\"F16\"", "\"BF16\"", "\"I32\"", "\"gptq\"", "\"sigmoid\"",
    ];

    private static readonly string[] Fragments = ["[[[[[[[[", "{\"a\":", "}", "]", ",", ":", "\"", "\u00A0", "\\", "\0"];

    public static byte[] Of(byte[] json, Random random)
    {
        string text = Encoding.Latin1.GetString(json);
        for (int left = random.Next(3) + 1; left > 0; left--)
        {
            int at = random.Next(text.Length);
            Group[] tokens = [.. Tokens().Matches(text).Select(match => match.Groups["value"]).Where(group => group.Success)];
            if (tokens.Length == 0)
                break;
            Group token = tokens[random.Next(tokens.Length)];
            text = random.Next(24) switch
            {
                0 => $"{text[..at]}{(char)random.Next(256)}{text[(at + 1)..]}",
                1 => $"{text[..at]}{Fragments[random.Next(Fragments.Length)]}{text[at..]}",
                2 => $"{text[..at]}{text[random.Next(text.Length)..]}", // a part repeated or left out
                < 10 => Replace(token, tokens[random.Next(tokens.Length)].Value),
                < 14 when long.TryParse(token.Value, out long number) => Replace(token, $"{number + random.Next(-8, 9)}"),
                _ => Replace(token, Values[random.Next(Values.Length)]),
            };

            string Replace(Group old, string value) => $"{text[..old.Index]}{value}{text[(old.Index + old.Length)..]}";
        }

        return Encoding.Latin1.GetBytes(text + (text.Length == 0 ? " " : ""));
    }

    /// <summary>Numbers, words and strings that are values; names are passed over.</summary>
    [GeneratedRegex("""
        "[^"]*"\s*:|(?<value>-?[0-9][0-9.eE+-]*|true|false|null|"[^"]*")
        """, RegexOptions.ExplicitCapture)]
    private static partial Regex Tokens();
}
