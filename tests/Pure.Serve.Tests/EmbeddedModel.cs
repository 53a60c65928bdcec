using System.Text;
using Pure.Chat;

namespace Pure.Serve.Tests;

/// <summary>The bytes of the embedded model, to be damaged.</summary>
internal static class EmbeddedModel
{
    private static readonly Lazy<byte[]> Content = new(() =>
    {
        using Stream stream = typeof(LanguageModel).Assembly.GetManifestResourceStream("stories-moe-q8_0.gguf")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    });

    /// <summary>A copy of the file.</summary>
    internal static byte[] Bytes() => [.. Content.Value];

    /// <summary>A copy in which the first <paramref name="from"/> is <paramref name="to"/>, as long.</summary>
    internal static byte[] With(string from, string to)
    {
        byte[] bytes = Bytes();
        int at = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(from));
        Assert.True(at >= 0 && from.Length == to.Length);
        Encoding.UTF8.GetBytes(to).CopyTo(bytes, at);
        return bytes;
    }
}
