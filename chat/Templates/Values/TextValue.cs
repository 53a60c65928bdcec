namespace Pure.Chat.Templates;

/// <summary>
/// A text; positions in it count code points. One that is safe (<c>Markup</c> in Python) escapes what is added to it.
/// </summary>
internal sealed class TextValue(string text, bool isSafe = false) : Value
{
    internal static readonly TextValue Empty = new("");

    private bool? _areUnits;

    internal string Text => text;

    internal bool IsSafe => isSafe;

    internal override string TypeName => isSafe ? "Markup" : "str";

    internal override bool IsTrue => text.Length > 0;

    internal override long? Length => CodePoints.Count(text);

    /// <summary>A text made of this one, as safe as it is.</summary>
    internal TextValue With(string other) => new(other, isSafe);

    internal override IEnumerable<Value> Iterate(Budget budget)
    {
        foreach (string point in CodePoints.Enumerate(text))
        {
            budget.Step();
            yield return new TextValue(point);
        }
    }

    internal override Value? Attribute(string name) => TextMethods.Table.Bind(name, this);

    internal override Value? Item(Value key, Budget budget)
    {
        if (!Numbers.TryIndex(key, out long index))
            return null;
        // Found out once: templates walk through long texts by index.
        if (_areUnits is null)
            budget.Characters(text.Length);
        if (_areUnits ??= CodePoints.AreUnits(text))
            return Numbers.InRange(ref index, text.Length) ? With(text[(int)index].ToString()) : null;
        budget.Characters(text.Length);
        return CodePoints.At(text, index) is { } point ? With(point) : null;
    }

    internal override void WriteRepr(PythonWriter writer)
    {
        if (isSafe)
            writer.Raw("Markup(");
        writer.Quoted(text);
        if (isSafe)
            writer.Raw(")");
    }

    internal override void WriteText(PythonWriter writer) => writer.Raw(text);
}
