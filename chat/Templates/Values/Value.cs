namespace Pure.Chat.Templates;

/// <summary>
/// A value inside a template, with the behaviour of its Python twin. There is nothing behind it: what a value can do is what these
/// types say, so a walk over attributes (<c>''.__class__.__mro__</c>) finds no way out.
/// </summary>
internal abstract class Value
{
    /// <summary>Python's name of the type.</summary>
    internal abstract string TypeName { get; }

    /// <summary>Whether it counts as true.</summary>
    internal virtual bool IsTrue => true;

    /// <summary>What <c>len</c> says, or null where it has no length.</summary>
    internal virtual long? Length => null;

    /// <summary>The items that a loop sees, or null where there are none. Each one taken is a step.</summary>
    internal virtual IEnumerable<Value>? Iterate(Budget budget) => null;

    /// <summary>What <c>value.name</c> finds before keys are tried: methods, and attributes of the language's own objects.</summary>
    internal virtual Value? Attribute(string name) => null;

    /// <summary>What <c>value[key]</c> finds, or null.</summary>
    internal virtual Value? Item(Value key, Budget budget) => null;

    /// <summary>Writes what Python's <c>repr</c> says.</summary>
    internal abstract void WriteRepr(PythonWriter writer);

    /// <summary>Writes what Python's <c>str</c> says.</summary>
    internal virtual void WriteText(PythonWriter writer) => WriteRepr(writer);
}
