using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Pure.House.Tests;

/// <summary>The public API of an assembly as text: one line per type and member, as C# writes it, in an order that only the API decides.</summary>
internal sealed class PublicApiListing
{
    private readonly StringBuilder _text = new();
    private readonly NullabilityInfoContext _nullability = new();

    private PublicApiListing()
    {
    }

    public static string Of(Assembly assembly)
    {
        var listing = new PublicApiListing();
        foreach (IGrouping<string?, Type> space in PublicSurface.Types(assembly).GroupBy(type => type.Namespace).OrderBy(space => space.Key, StringComparer.Ordinal))
        {
            listing._text.Append("namespace ").Append(space.Key).Append('\n');
            foreach (Type type in space)
                listing.Add(type);
            listing._text.Append('\n');
        }

        return listing._text.ToString().TrimEnd('\n') + "\n";
    }

    private void Add(Type type)
    {
        _text.Append("  ").Append(Head(type)).Append('\n');
        if (typeof(Delegate).IsAssignableFrom(type))
            return;
        if (type.IsEnum)
        {
            foreach (object value in Enum.GetValuesAsUnderlyingType(type))
                _text.Append(CultureInfo.InvariantCulture, $"    {Enum.GetName(type, value)} = {value}\n");
            return;
        }

        IEnumerable<string> lines = PublicSurface.Members(type)
            .Where(member => !member.IsDefined(typeof(CompilerGeneratedAttribute)) || member is PropertyInfo)
            .OrderBy(Rank).ThenBy(member => member.Name, StringComparer.Ordinal)
            .Select(Line);
        foreach (string line in lines.GroupBy(line => line).Select(group => group.Key))
            _text.Append("    ").Append(line).Append('\n');
    }

    private static int Rank(MemberInfo member) => member switch
    {
        FieldInfo => 0,
        ConstructorInfo => 1,
        PropertyInfo => 2,
        EventInfo => 3,
        _ => 4,
    };

    private string Head(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
            return $"delegate {Line(type.GetMethod("Invoke")!).Replace("virtual ", "", StringComparison.Ordinal).Replace("Invoke(", Name(type) + "(", StringComparison.Ordinal)}";
        bool isRecord = type.GetMethod("<Clone>$") is not null ||
            (type.IsValueType && type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null);
        string kind = type switch
        {
            { IsEnum: true } => "enum",
            { IsInterface: true } => "interface",
            { IsValueType: true } => Modifiers(("readonly", type.IsDefined(typeof(IsReadOnlyAttribute))), ("ref", type.IsByRefLike), ("record", isRecord)) + "struct",
            { IsAbstract: true, IsSealed: true } => "static class",
            _ => Modifiers(("abstract", type.IsAbstract), ("sealed", type.IsSealed), ("record", isRecord)) + (isRecord ? "" : "class"),
        };

        IEnumerable<Type> bases = type.IsEnum ? [] : DeclaredInterfaces(type);
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) && parent != typeof(Enum))
            bases = bases.Prepend(parent);
        string inherits = string.Join(", ", bases.Select(Name));
        return $"{kind.TrimEnd()} {Name(type)}{(inherits.Length == 0 ? "" : " : " + inherits)}";
    }

    private static IEnumerable<Type> DeclaredInterfaces(Type type) =>
        type.GetInterfaces()
            .Where(face => face.IsVisible && (type.BaseType is null || !type.BaseType.GetInterfaces().Contains(face)))
            .OrderBy(Name, StringComparer.Ordinal);

    private string Line(MemberInfo member) => member switch
    {
        FieldInfo field => $"{Access(field.IsPublic)}{Modifiers(("const", field.IsLiteral), ("static", field.IsStatic && !field.IsLiteral), ("readonly", field.IsInitOnly))}" +
            $"{Name(field.FieldType, _nullability.Create(field))} {field.Name}{(field.IsLiteral ? " = " + Literal(field.GetRawConstantValue()) : "")}",
        ConstructorInfo constructor => $"{Access(constructor.IsPublic)}{SimpleName(constructor.DeclaringType!)}({Parameters(constructor)})",
        PropertyInfo property => Property(property),
        EventInfo @event => $"event {Name(@event.EventHandlerType!)} {@event.Name}",
        MethodInfo method => $"{Access(method.IsPublic)}{MethodModifiers(method)}{Name(method.ReturnType, _nullability.Create(method.ReturnParameter))} " +
            $"{method.Name}{TypeArguments(method.GetGenericArguments())}({Parameters(method)})",
        _ => member.Name,
    };

    private string Property(PropertyInfo property)
    {
        MethodInfo[] accessors = [.. property.GetAccessors(nonPublic: true).Where(PublicSurface.IsVisible)];
        MethodInfo first = accessors[0];
        bool gets = accessors.Contains(property.GetMethod);
        bool sets = accessors.Contains(property.SetMethod);
        bool init = sets && property.SetMethod!.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
        string name = property.GetIndexParameters() is { Length: > 0 } indices ? $"this[{Parameters(indices)}]" : property.Name;
        bool required = property.IsDefined(typeof(RequiredMemberAttribute));
        return $"{Access(first.IsPublic)}{MethodModifiers(first)}{(required ? "required " : "")}{Name(property.PropertyType, _nullability.Create(property))} {name} {{ " +
            $"{(gets ? "get; " : "")}{(init ? "init; " : sets ? "set; " : "")}}}";
    }

    private static string MethodModifiers(MethodInfo method) => Modifiers(
        ("static", method.IsStatic),
        ("abstract", method.IsAbstract && !method.DeclaringType!.IsInterface),
        ("override", Overrides(method)),
        ("virtual", method is { IsVirtual: true, IsAbstract: false, IsFinal: false } && !Overrides(method) && !method.DeclaringType!.IsSealed));

    private static bool Overrides(MethodInfo method) => method.IsVirtual && method.GetBaseDefinition().DeclaringType != method.DeclaringType;

    private string Parameters(MethodBase method) =>
        (method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "") + Parameters(method.GetParameters());

    private string Parameters(ParameterInfo[] parameters) => string.Join(", ", parameters.Select(parameter =>
    {
        string direction = !parameter.ParameterType.IsByRef ? "" : parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";
        bool isParams = parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute));
        string @default = parameter.HasDefaultValue ? " = " + Default(parameter) : "";
        return $"{(isParams ? "params " : "")}{direction}{Name(parameter.ParameterType, _nullability.Create(parameter))} {parameter.Name}{@default}";
    }));

    private static string Default(ParameterInfo parameter) =>
        parameter.DefaultValue is null && parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null
            ? "default"
            : Literal(parameter.DefaultValue);

    private static string Access(bool isPublic) => isPublic ? "" : "protected ";

    private static string Modifiers(params ReadOnlySpan<(string Word, bool Applies)> modifiers)
    {
        string words = "";
        foreach ((string word, bool applies) in modifiers)
            words += applies ? word + " " : "";
        return words;
    }

    private static string Literal(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        Enum name => $"{name.GetType().Name}.{name}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string SimpleName(Type type) => type.Name.Split('`')[0];

    private static string Name(Type type) => Name(type, null);

    private static string Name(Type type, NullabilityInfo? nullability)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!, nullability);
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Name(underlying) + "?";
        string mark = nullability?.ReadState == NullabilityState.Nullable && !type.IsValueType ? "?" : "";
        if (type.IsArray)
            return $"{Name(type.GetElementType()!, nullability?.ElementType)}[{new string(',', type.GetArrayRank() - 1)}]{mark}";
        if (Keyword(type) is { } keyword)
            return keyword + mark;
        Type[] arguments = type.GetGenericArguments();
        if (arguments.Length > 0 && type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true)
            return $"({string.Join(", ", arguments.Select(Name))})";
        string prefix = type is { IsNested: true, IsGenericParameter: false } ? Name(type.DeclaringType!) + "." : "";
        string generic = nullability is { GenericTypeArguments.Length: > 0 } known && known.GenericTypeArguments.Length == arguments.Length
            ? $"<{string.Join(", ", arguments.Zip(known.GenericTypeArguments, Name))}>"
            : TypeArguments(arguments);
        return prefix + SimpleName(type) + generic + mark;
    }

    private static string TypeArguments(Type[] arguments) =>
        arguments.Length == 0 ? "" : $"<{string.Join(", ", arguments.Select(Name))}>";

    private static string? Keyword(Type type) => type == typeof(void) ? "void" : type == typeof(object) ? "object" : type.IsEnum ? null : Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => "bool",
        TypeCode.Byte => "byte",
        TypeCode.SByte => "sbyte",
        TypeCode.Int16 => "short",
        TypeCode.UInt16 => "ushort",
        TypeCode.Int32 => "int",
        TypeCode.UInt32 => "uint",
        TypeCode.Int64 => "long",
        TypeCode.UInt64 => "ulong",
        TypeCode.Single => "float",
        TypeCode.Double => "double",
        TypeCode.Char => "char",
        TypeCode.String => "string",
        TypeCode.Decimal => "decimal",
        _ => null,
    };
}
