namespace Pure.Chat.Templates;

/// <summary>The filter <c>wordwrap</c>: each line of a text is cut into lines of at most <c>width</c>, as Python's textwrap does.</summary>
internal static class WordWrap
{
    internal static Value Apply(BuiltinArguments arguments, Evaluator evaluator)
    {
        string text = arguments.Text(0);
        evaluator.Budget.Characters(text.Length);
        int width = arguments.Count(1, 79);
        if (width <= 0)
            throw new Fault($"'wordwrap' expects a width above 0, found {width}");
        string newLine = arguments.TextOrNull(3) ?? "\n";
        var output = new BoundedText(evaluator.Budget);
        bool isFirst = true;
        foreach (string line in PythonText.SplitLines(text))
        {
            List<string> wrapped = Wrap(line, width, arguments.IsTrue(2, fallback: true), arguments.IsTrue(4, fallback: true), evaluator.Budget);
            evaluator.Budget.Step(wrapped.Count);
            if (!isFirst)
                output.Append(newLine);
            isFirst = false;
            for (int i = 0; i < wrapped.Count; i++)
                output.Append(i == 0 ? "" : newLine).Append(wrapped[i]);
        }

        return new TextValue(output.ToString());
    }

    /// <summary>Blanks that begin or end a line are dropped, except at the begin of the first one.</summary>
    private static List<string> Wrap(string text, int width, bool cutsWords, bool cutsAtHyphens, Budget budget)
    {
        var chunks = new LinkedList<string>(Chunks(text, cutsAtHyphens));
        var lines = new List<string>();
        while (chunks.First is not null)
        {
            var line = new List<string>();
            int length = 0;
            budget.Characters(chunks.First.Value.Length);
            if (lines.Count > 0 && PythonText.IsBlank(chunks.First.Value))
                chunks.RemoveFirst();
            while (chunks.First is { } next && length + CodePoints.Count(next.Value) <= width)
            {
                line.Add(next.Value);
                length += CodePoints.Count(next.Value);
                chunks.RemoveFirst();
            }

            if (chunks.First is { } longWord && CodePoints.Count(longWord.Value) > width && (cutsWords || line.Count == 0))
            {
                int cut = cutsWords ? CodePoints.ToUnits(longWord.Value, width - length) : longWord.Value.Length;
                line.Add(longWord.Value[..cut]);
                chunks.RemoveFirst();
                if (cut < longWord.Value.Length)
                    chunks.AddFirst(longWord.Value[cut..]);
            }

            if (line.Count > 0 && PythonText.IsBlank(line[^1]))
                line.RemoveAt(line.Count - 1);
            if (line.Count > 0)
                lines.Add(string.Concat(line));
        }

        return lines;
    }

    /// <summary>Runs of blanks and of others; hyphens between letters end a run.</summary>
    private static IEnumerable<string> Chunks(string text, bool cutsAtHyphens)
    {
        int begin = 0;
        for (int at = 1; at <= text.Length; at++)
        {
            bool ends = at == text.Length || PythonText.IsSpace(text[at]) != PythonText.IsSpace(text[at - 1])
                || (cutsAtHyphens && text[at - 1] == '-' && at - begin > 2 && char.IsLetter(text[at - 2])
                    && at + 1 < text.Length && char.IsLetterOrDigit(text[at]) && char.IsLetter(text[at + 1]));
            if (!ends)
                continue;
            yield return text[begin..at];
            begin = at;
        }
    }
}
