namespace Pure.Serve;

/// <summary>A text file of many texts: they are parted by lines that hold exactly <c>&lt;|endoftext|&gt;</c>.</summary>
internal static class PerplexityText
{
    /// <summary>The line between two texts.</summary>
    internal const string Marker = "<|endoftext|>";

    /// <summary>
    /// The texts that are not empty, in order. The line feed that ends a text's last line is not part of it; nothing else is trimmed.
    /// </summary>
    internal static IReadOnlyList<string> Parts(string text)
    {
        var parts = new List<string>();
        int partStart = 0;
        int lineStart = 0;
        while (lineStart < text.Length)
        {
            int lineEnd = text.IndexOf('\n', lineStart);
            int next = lineEnd < 0 ? text.Length : lineEnd + 1;
            if (text.AsSpan(lineStart, (lineEnd < 0 ? text.Length : lineEnd) - lineStart).SequenceEqual(Marker))
            {
                AddPart(partStart, lineStart);
                partStart = next;
            }

            lineStart = next;
        }

        AddPart(partStart, text.Length);
        return parts;

        void AddPart(int start, int end)
        {
            if (end > start && text[end - 1] == '\n')
                end--;
            if (end > start)
                parts.Add(text[start..end]);
        }
    }
}
