using System.Text;

namespace Pure.Engine.Formats.Gguf;

/// <summary>The keys and values of a GGUF file that is to be written, in the order in which they are added.</summary>
public sealed class GgufKeys
{
    private readonly OrderedDictionary<string, (GgufValueType Type, Action<BinaryWriter> Write)> _entries = [];

    /// <summary>How many there are.</summary>
    internal int Count => _entries.Count;

    /// <summary>Adds a text.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public GgufKeys Add(string key, string value) => Add(key, GgufValueType.String, writer => WriteText(writer, value));

    /// <summary>Adds a 32-bit unsigned integer, the usual type of sizes and ids.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public GgufKeys Add(string key, uint value) => Add(key, GgufValueType.UInt32, writer => writer.Write(value));

    /// <summary>Adds a 32-bit float.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public GgufKeys Add(string key, float value) => Add(key, GgufValueType.Float32, writer => writer.Write(value));

    /// <summary>Adds a boolean.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public GgufKeys Add(string key, bool value) => Add(key, GgufValueType.Boolean, writer => writer.Write(value));

    /// <summary>Adds an array of texts.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public GgufKeys Add(string key, IReadOnlyCollection<string> values) => AddArray(key, GgufValueType.String, values, WriteText);

    /// <summary>Adds an array of 32-bit integers.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public GgufKeys Add(string key, IReadOnlyCollection<int> values) =>
        AddArray(key, GgufValueType.Int32, values, (writer, value) => writer.Write(value));

    /// <summary>Adds an array of 32-bit floats.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public GgufKeys Add(string key, IReadOnlyCollection<float> values) =>
        AddArray(key, GgufValueType.Float32, values, (writer, value) => writer.Write(value));

    /// <summary>Writes all keys as they stand in a file.</summary>
    internal void Write(BinaryWriter writer)
    {
        foreach ((string key, (GgufValueType type, Action<BinaryWriter> write)) in _entries)
        {
            WriteText(writer, key);
            writer.Write((uint)type);
            write(writer);
        }
    }

    /// <summary>A string as GGUF has it: its length in bytes as 64 bits, then UTF-8.</summary>
    internal static void WriteText(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private GgufKeys AddArray<T>(string key, GgufValueType elements, IReadOnlyCollection<T> values, Action<BinaryWriter, T> write)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Add(key, GgufValueType.Array, writer =>
        {
            writer.Write((uint)elements);
            writer.Write((ulong)values.Count);
            foreach (T value in values)
                write(writer, value);
        });
    }

    private GgufKeys Add(string key, GgufValueType type, Action<BinaryWriter> write)
    {
        _entries.Add(key, (type, write));
        return this;
    }
}
