namespace Pure.Chat.Templates;

/// <summary><c>value[start:stop:step]</c>, as Python cuts.</summary>
internal static class Slicing
{
    internal static Value Of(Value target, Value? start, Value? stop, Value? step, Budget budget)
    {
        if (target is UndefinedValue undefined)
            throw new Fault(undefined.Problem);
        if (target is not (TextValue or ListValue or TupleValue or RangeValue))
            throw new Fault($"'{target.TypeName}' object cannot be sliced");
        if (target is TextValue { Text.Length: var units })
            budget.Characters(units);
        long stride = Bound(step) ?? 1;
        if (stride == 0)
            throw new Fault("a slice needs a step that is not 0");
        long length = target.Length!.Value;
        long from = Place(Bound(start), stride > 0 ? 0 : length - 1);
        long to = Place(Bound(stop), stride > 0 ? length : -1);
        long count = stride > 0 ? Math.Max(0, (to - from + stride - 1) / stride) : Math.Max(0, (from - to - stride - 1) / -stride);
        switch (target)
        {
            case TextValue text:
                budget.NewText(Math.Min(2 * count, text.Text.Length));
                return text.With(CodePoints.Part(text.Text, from, count, stride));
            case ListValue list:
                budget.Step(count);
                return new ListValue([.. Pick(list.Items)]);
            case TupleValue tuple:
                budget.Step(count);
                return new TupleValue([.. Pick(tuple.Items)]);
            default:
                return ((RangeValue)target).Part(from, count, stride);
        }

        IEnumerable<Value> Pick(IReadOnlyList<Value> items)
        {
            for (long i = 0; i < count; i++)
                yield return items[(int)(from + (i * stride))];
        }

        // From the end where negative; cut to what exists.
        long Place(long? bound, long fallback)
        {
            if (bound is not { } at)
                return fallback;
            if (at < 0)
                at += length;
            return stride > 0 ? Math.Clamp(at, 0, length) : Math.Clamp(at, -1, length - 1);
        }
    }

    private static long? Bound(Value? value) => value switch
    {
        null or NoneValue => null,
        UndefinedValue undefined => throw new Fault(undefined.Problem),
        _ when Numbers.TryIndex(value, out long index) => index,
        _ => throw new Fault($"a slice needs whole numbers, found a value of type {value.TypeName}"),
    };
}
