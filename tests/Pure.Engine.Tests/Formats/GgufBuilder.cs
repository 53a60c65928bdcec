using System.Text;
using Pure.Engine.Formats.Gguf;

namespace Pure.Engine.Tests.Formats;

/// <summary>Writes small GGUF files for tests, right or wrong on purpose: every count, type and offset can be forced.</summary>
internal sealed class GgufBuilder
{
    private readonly List<byte[]> _keys = [];
    private readonly List<(string Name, uint Type, ulong[] Sizes, byte[] Data, ulong? Offset)> _tensors = [];

    public string Magic { get; set; } = "GGUF";

    public uint Version { get; set; } = 3;

    public ulong? TensorCount { get; set; }

    public ulong? KeyCount { get; set; }

    public int Alignment { get; set; } = 32;

    /// <summary>Adds a key whose value is the bytes of <paramref name="value"/>.</summary>
    public GgufBuilder Raw(string key, GgufValueType type, params byte[] value)
    {
        _keys.Add([.. Text(key), .. BitConverter.GetBytes((uint)type), .. value]);
        return this;
    }

    public GgufBuilder Key(string key, object value) => Raw(key, TypeOf(value), Value(value));

    public GgufBuilder List<T>(string key, params T[] elements) => Key(key, elements);

    /// <summary>Adds a tensor; <paramref name="sizes"/> fastest first, as in the file.</summary>
    public GgufBuilder Tensor(string name, uint type, ulong[] sizes, byte[] data, ulong? offset = null)
    {
        _tensors.Add((name, type, sizes, data, offset));
        return this;
    }

    public byte[] Build()
    {
        var file = new MemoryStream();
        var writer = new BinaryWriter(file);
        writer.Write(Encoding.ASCII.GetBytes(Magic));
        writer.Write(Version);
        writer.Write(TensorCount ?? (ulong)_tensors.Count);
        writer.Write(KeyCount ?? (ulong)_keys.Count);
        _keys.ForEach(writer.Write);

        var data = new MemoryStream();
        foreach (var (name, type, sizes, bytes, offset) in _tensors)
        {
            data.Write(new byte[Padding(data.Length)]);
            writer.Write(Text(name));
            writer.Write((uint)sizes.Length);
            foreach (ulong size in sizes)
                writer.Write(size);
            writer.Write(type);
            writer.Write(offset ?? (ulong)data.Length);
            data.Write(bytes);
        }

        if (_tensors.Count > 0)
            writer.Write(new byte[Padding(file.Length)]);
        writer.Write(data.ToArray());
        return file.ToArray();
    }

    private static GgufValueType TypeOf(object value) => value switch
    {
        byte => GgufValueType.UInt8,
        sbyte => GgufValueType.Int8,
        ushort => GgufValueType.UInt16,
        short => GgufValueType.Int16,
        uint => GgufValueType.UInt32,
        int => GgufValueType.Int32,
        float => GgufValueType.Float32,
        bool => GgufValueType.Boolean,
        string => GgufValueType.String,
        Array => GgufValueType.Array,
        ulong => GgufValueType.UInt64,
        long => GgufValueType.Int64,
        double => GgufValueType.Float64,
        _ => throw new ArgumentException($"{value.GetType()} is no GGUF type.", nameof(value)),
    };

    private static byte[] Value(object value) => value switch
    {
        byte v => [v],
        sbyte v => [(byte)v],
        ushort v => BitConverter.GetBytes(v),
        short v => BitConverter.GetBytes(v),
        uint v => BitConverter.GetBytes(v),
        int v => BitConverter.GetBytes(v),
        float v => BitConverter.GetBytes(v),
        bool v => [(byte)(v ? 1 : 0)],
        string v => Text(v),
        ulong v => BitConverter.GetBytes(v),
        long v => BitConverter.GetBytes(v),
        double v => BitConverter.GetBytes(v),
        Array v => Elements(v),
        _ => throw new ArgumentException($"{value.GetType()} is no GGUF type.", nameof(value)),
    };

    private static byte[] Elements(Array array)
    {
        var elementType = array.GetType().GetElementType()!;
        object example = elementType == typeof(string) ? "" : elementType.IsArray ? Array.Empty<byte>() : Activator.CreateInstance(elementType)!;
        return
        [
            .. BitConverter.GetBytes((uint)TypeOf(example)),
            .. BitConverter.GetBytes((ulong)array.Length),
            .. array.Cast<object>().SelectMany(Value),
        ];
    }

    private static byte[] Text(string text) =>
        [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    private int Padding(long length) => (int)((Alignment - (length % Alignment)) % Alignment);
}
