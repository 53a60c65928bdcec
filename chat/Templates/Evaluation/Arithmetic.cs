using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>The operators <c>+ - * / // % **</c>, as Python has them.</summary>
internal static class Arithmetic
{
    internal static Value Binary(string symbol, Value left, Value right, Evaluator evaluator)
    {
        if (left is UndefinedValue undefinedLeft)
            throw new Fault(undefinedLeft.Problem);
        if (symbol == "%" && left is TextValue format)
            return PercentFormat.Format(format, right, evaluator);
        if (right is UndefinedValue undefinedRight)
            throw new Fault(undefinedRight.Problem);
        if (Numbers.IsNumber(left) && Numbers.IsNumber(right))
            return OfNumbers(symbol, left, right);
        return symbol switch
        {
            "+" => Add(left, right, evaluator),
            "*" when Numbers.TryIndex(right, out long count) => Repeat(left, count, evaluator.Budget) ?? throw Unsupported(symbol, left, right),
            "*" when Numbers.TryIndex(left, out long count) => Repeat(right, count, evaluator.Budget) ?? throw Unsupported(symbol, left, right),
            _ => throw Unsupported(symbol, left, right),
        };
    }

    /// <summary><c>+x</c> or <c>-x</c>.</summary>
    internal static Value Sign(string symbol, Value operand)
    {
        if (Numbers.TryInteger(operand, out BigInteger integer))
            return IntegerValue.Of(symbol == "-" ? -integer : integer);
        return operand switch
        {
            FloatValue { Number: var number } => new FloatValue(symbol == "-" ? -number : number),
            UndefinedValue undefined => throw new Fault(undefined.Problem),
            _ => throw new Fault($"bad operand type for unary {symbol}: '{operand.TypeName}'"),
        };
    }

    private static Value OfNumbers(string symbol, Value left, Value right)
    {
        if (symbol != "/" && Numbers.TryInteger(left, out BigInteger a) && Numbers.TryInteger(right, out BigInteger b))
        {
            return symbol switch
            {
                "+" => IntegerValue.Of(a + b),
                "-" => IntegerValue.Of(a - b),
                "*" => IntegerValue.Of(a * b),
                "//" => IntegerValue.Of(FloorDivide(a, b).Quotient),
                "%" => IntegerValue.Of(FloorDivide(a, b).Remainder),
                _ => Power(a, b),
            };
        }

        _ = Numbers.TryFloat(left, out double x);
        _ = Numbers.TryFloat(right, out double y);
        return new FloatValue(symbol switch
        {
            "+" => x + y,
            "-" => x - y,
            "*" => x * y,
            _ when y == 0 && symbol != "**" => throw new Fault("division by zero"),
            "/" => x / y,
            "//" => Math.Floor((x - Modulo(x, y)) / y),
            "%" => Modulo(x, y),
            _ => Power(x, y),
        });
    }

    /// <summary>The rest with the sign of the divisor.</summary>
    private static double Modulo(double x, double y)
    {
        double rest = x % y;
        return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest == 0 ? Math.CopySign(0, y) : rest;
    }

    private static (BigInteger Quotient, BigInteger Remainder) FloorDivide(BigInteger a, BigInteger b)
    {
        if (b.IsZero)
            throw new Fault("division by zero");
        BigInteger quotient = BigInteger.DivRem(a, b, out BigInteger rest);
        return rest.IsZero || rest.Sign == b.Sign ? (quotient, rest) : (quotient - 1, rest + b);
    }

    private static Value Power(BigInteger value, BigInteger exponent)
    {
        if (exponent.Sign < 0)
            return new FloatValue(Power(Numbers.ToFloat(value), Numbers.ToFloat(exponent)));
        if (value.IsOne || value.IsZero || value == BigInteger.MinusOne)
            return IntegerValue.Of(exponent.IsZero ? 1 : value == BigInteger.MinusOne && !exponent.IsEven ? -1 : BigInteger.Abs(value));
        if (exponent * (value.GetBitLength() - 1) > IntegerValue.MostBits)
            throw IntegerValue.TooLarge();
        return IntegerValue.Of(BigInteger.Pow(value, (int)exponent));
    }

    private static double Power(double value, double exponent)
    {
        if (value == 0 && exponent < 0)
            throw new Fault("zero cannot be raised to a negative power");
        if (value < 0 && double.IsFinite(exponent) && !double.IsInteger(exponent))
            throw new Fault("a negative number cannot be raised to a fractional power");
        double power = Math.Pow(value, exponent);
        return double.IsInfinity(power) && double.IsFinite(value) && double.IsFinite(exponent)
            ? throw new Fault("a power is too large for a floating number")
            : power;
    }

    private static Value Add(Value left, Value right, Evaluator evaluator)
    {
        switch (left, right)
        {
            case (TextValue a, TextValue b):
                bool isSafe = a.IsSafe || b.IsSafe;
                string first = isSafe && !a.IsSafe ? PythonText.Escape(a.Text, evaluator.Budget) : a.Text;
                string second = isSafe && !b.IsSafe ? PythonText.Escape(b.Text, evaluator.Budget) : b.Text;
                evaluator.Budget.NewText((long)first.Length + second.Length);
                return new TextValue(first + second, isSafe);
            case (ListValue a, ListValue b):
                evaluator.Budget.Step(a.Items.Count + (long)b.Items.Count);
                return new ListValue([.. a.Items, .. b.Items]);
            case (TupleValue a, TupleValue b):
                evaluator.Budget.Step(a.Items.Length + (long)b.Items.Length);
                return new TupleValue([.. a.Items, .. b.Items]);
            case (TextValue, _):
                throw new Fault($"can only concatenate str (not \"{right.TypeName}\") to str");
            default:
                throw Unsupported("+", left, right);
        }
    }

    private static Value? Repeat(Value value, long count, Budget budget)
    {
        count = Math.Max(0, count);
        switch (value)
        {
            case TextValue text:
                budget.NewText(text.Text.Length * count);
                return text.With(text.Text.Length == 0 ? "" : string.Concat(Enumerable.Repeat(text.Text, (int)count)));
            case ListValue list:
                budget.Step(list.Items.Count * count);
                return new ListValue(list.Items.Count == 0 ? [] : [.. Enumerable.Repeat(list.Items, (int)count).SelectMany(items => items)]);
            case TupleValue tuple:
                budget.Step(tuple.Items.Length * count);
                return new TupleValue(
                    tuple.Items.Length == 0 ? [] : [.. Enumerable.Repeat(tuple.Items, (int)count).SelectMany(items => items)]);
            default:
                return null;
        }
    }

    private static Fault Unsupported(string symbol, Value left, Value right) =>
        new($"unsupported operand type(s) for {symbol}: '{left.TypeName}' and '{right.TypeName}'");
}
