using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>Equality, order and membership, as Python has them.</summary>
internal static class Comparison
{
    /// <summary>Whether <c>left symbol right</c>.</summary>
    internal static bool Holds(string symbol, Value left, Value right, Budget budget) => symbol switch
    {
        "==" => AreEqual(left, right, budget),
        "!=" => !AreEqual(left, right, budget),
        "<" => Order(left, right, symbol, budget) is < 0,
        "<=" => Order(left, right, symbol, budget) is <= 0,
        ">" => Order(left, right, symbol, budget) is > 0,
        ">=" => Order(left, right, symbol, budget) is >= 0,
        "in" => Contains(right, left, budget),
        "not in" => !Contains(right, left, budget),
        _ => throw new InvalidOperationException($"no comparison {symbol}"),
    };

    internal static bool AreEqual(Value left, Value right, Budget budget)
    {
        budget.Step();
        if (Numbers.IsNumber(left))
            return Numbers.IsNumber(right) && OrderNumbers(left, right) == 0;
        if (ReferenceEquals(left, right))
            return true;
        switch (left, right)
        {
            case (TextValue a, TextValue b):
                if (a.Text.Length == b.Text.Length)
                    budget.Characters(a.Text.Length / 16);
                return a.Text == b.Text;
            case (UndefinedValue, UndefinedValue):
                return true;
            case (ListValue a, ListValue b):
                return a.Items.Count == b.Items.Count && AllEqual(a.Items, b.Items, budget);
            case (TupleValue a, TupleValue b):
                return a.Items.Length == b.Items.Length && AllEqual(a.Items, b.Items, budget);
            case (DictionaryValue a, DictionaryValue b):
                return a.Count == b.Count && AllEqual(a, b, budget);
            case (RangeValue a, RangeValue b):
                return a.Count == b.Count && (a.Count.IsZero
                    || (AreEqual(a.Item(IntegerValue.Of(0), budget)!, b.Item(IntegerValue.Of(0), budget)!, budget)
                        && AreEqual(a.Item(IntegerValue.Of(-1), budget)!, b.Item(IntegerValue.Of(-1), budget)!, budget)));
            default:
                return false;
        }
    }

    /// <summary>A hash that equal values share.</summary>
    /// <exception cref="Fault">The value can change, or holds one that can: it is no key.</exception>
    internal static int Hash(Value value, Budget budget)
    {
        budget.Step();
        switch (value)
        {
            case TextValue text:
                budget.Characters(text.Text.Length / 8);
                return text.Text.GetHashCode(StringComparison.Ordinal);
            case IntegerValue or BooleanValue:
                _ = Numbers.TryInteger(value, out BigInteger number);
                return number.GetHashCode();
            case FloatValue { Number: var number1 }:
                return double.IsInteger(number1) ? new BigInteger(number1).GetHashCode() : number1.GetHashCode();
            case NoneValue or UndefinedValue:
                return 1;
            case TupleValue tuple:
                return tuple.Hash ??= HashItems(tuple, budget);
            case ListValue or DictionaryValue:
                throw new Fault($"unhashable type: '{value.TypeName}'");
            default:
                return System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(value);
        }
    }

    /// <summary>Below 0, 0 or above 0; null where neither holds (a number that is none).</summary>
    internal static int? Order(Value left, Value right, string symbol, Budget budget)
    {
        budget.Step();
        if (Numbers.IsNumber(left) && Numbers.IsNumber(right))
            return OrderNumbers(left, right);
        switch (left, right)
        {
            case (UndefinedValue undefined, _):
                throw new Fault(undefined.Problem);
            case (_, UndefinedValue undefined):
                throw new Fault(undefined.Problem);
            case (TextValue a, TextValue b):
                budget.Characters(Math.Min(a.Text.Length, b.Text.Length) / 16);
                return OrderTexts(a.Text, b.Text);
            case (ListValue a, ListValue b):
                return OrderItems(a.Items, b.Items, symbol, budget);
            case (TupleValue a, TupleValue b):
                return OrderItems(a.Items, b.Items, symbol, budget);
            default:
                throw new Fault($"'{symbol}' not supported between instances of '{left.TypeName}' and '{right.TypeName}'");
        }
    }

    /// <summary>Whether <c>item in container</c>.</summary>
    internal static bool Contains(Value container, Value item, Budget budget)
    {
        switch (container)
        {
            case TextValue text:
                if (item is not TextValue sought)
                    throw new Fault($"'in <string>' requires string as left operand, not {item.TypeName}");
                budget.Search(text.Text, sought.Text);
                return text.Text.Contains(sought.Text, StringComparison.Ordinal);
            case DictionaryValue dictionary:
                return dictionary.Find(item) is not null;
            case DictionaryView { KeysOf: { } dictionary }:
                return dictionary.Find(item) is not null;
            case RangeValue range when Numbers.TryInteger(item, out BigInteger number):
                return range.Contains(number);
            default:
                IEnumerable<Value> items = container.Iterate(budget)
                    ?? throw new Fault($"argument of type '{container.TypeName}' is not iterable");
                return items.Any(other => AreEqual(other, item, budget));
        }
    }

    /// <summary>Sorts, keeping the order of equals, by nothing but whether one is less than another.</summary>
    internal static void Sort<T>(T[] items, Func<T, T, bool> isLess)
    {
        var spare = new T[items.Length];
        Sort(items, spare, 0, items.Length, isLess);
    }

    private static void Sort<T>(T[] items, T[] spare, int begin, int end, Func<T, T, bool> isLess)
    {
        if (end - begin < 2)
            return;
        int middle = begin + ((end - begin) / 2);
        Sort(items, spare, begin, middle, isLess);
        Sort(items, spare, middle, end, isLess);
        int left = begin;
        int right = middle;
        for (int i = begin; i < end; i++)
            spare[i] = right < end && (left == middle || isLess(items[right], items[left])) ? items[right++] : items[left++];
        Array.Copy(spare, begin, items, begin, end - begin);
    }

    private static int? OrderNumbers(Value left, Value right)
    {
        if (Numbers.TryInteger(left, out BigInteger a) && Numbers.TryInteger(right, out BigInteger b))
            return a.CompareTo(b);
        double x = left is FloatValue floatLeft ? floatLeft.Number : 0;
        double y = right is FloatValue floatRight ? floatRight.Number : 0;
        if (double.IsNaN(x) || double.IsNaN(y))
            return null;
        if (left is FloatValue && right is FloatValue)
            return x.CompareTo(y);
        // A whole number and a floating one: exactly.
        return left is FloatValue ? -OrderWithFloat(IntegerOf(right), x) : OrderWithFloat(IntegerOf(left), y);
    }

    private static BigInteger IntegerOf(Value value) => Numbers.TryInteger(value, out BigInteger number) ? number : default;

    private static int OrderWithFloat(BigInteger integer, double number)
    {
        if (double.IsInfinity(number))
            return number > 0 ? -1 : 1;
        double floor = Math.Floor(number);
        int order = integer.CompareTo(new BigInteger(floor));
        return order != 0 ? order : floor < number ? -1 : 0;
    }

    /// <summary>By code point: a surrogate pair comes after every single unit.</summary>
    private static int OrderTexts(string left, string right)
    {
        int at = left.AsSpan().CommonPrefixLength(right);
        if (at == left.Length || at == right.Length)
            return left.Length.CompareTo(right.Length);
        return Rank(left[at]).CompareTo(Rank(right[at]));

        static int Rank(char letter) => char.IsSurrogate(letter) ? letter + 0x10000 : letter;
    }

    private static int? OrderItems(IReadOnlyList<Value> left, IReadOnlyList<Value> right, string symbol, Budget budget)
    {
        budget.Enter();
        int? order = left.Count.CompareTo(right.Count);
        for (int i = 0; i < left.Count && i < right.Count; i++)
        {
            if (AreEqual(left[i], right[i], budget))
                continue;
            order = Order(left[i], right[i], symbol, budget);
            break;
        }

        budget.Leave();
        return order;
    }

    private static bool AllEqual(IReadOnlyList<Value> left, IReadOnlyList<Value> right, Budget budget)
    {
        budget.Enter();
        bool equal = true;
        for (int i = 0; equal && i < left.Count; i++)
            equal = AreEqual(left[i], right[i], budget);
        budget.Leave();
        return equal;
    }

    private static bool AllEqual(DictionaryValue left, DictionaryValue right, Budget budget)
    {
        budget.Enter();
        bool equal = left.Pairs.All(pair => right.Find(pair.Key) is { } other && AreEqual(pair.Value, other, budget));
        budget.Leave();
        return equal;
    }

    private static int HashItems(TupleValue tuple, Budget budget)
    {
        budget.Enter();
        var hash = new HashCode();
        foreach (Value item in tuple.Items)
            hash.Add(Hash(item, budget));
        budget.Leave();
        return hash.ToHashCode();
    }
}
