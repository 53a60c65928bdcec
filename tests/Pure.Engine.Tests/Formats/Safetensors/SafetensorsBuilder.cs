using System.Buffers.Binary;
using System.Text;

namespace Pure.Engine.Tests.Formats.Safetensors;

/// <summary>Writes safetensors files, right ones and wrong ones.</summary>
internal sealed class SafetensorsBuilder
{
    private readonly List<(string Name, string Type, long[] Shape, byte[] Data)> _tensors = [];

    /// <summary>Text after the tensors' lines in the header, such as another member.</summary>
    public string More { get; init; } = "";

    public SafetensorsBuilder Tensor(string name, string type, long[] shape, byte[] data)
    {
        _tensors.Add((name, type, shape, data));
        return this;
    }

    /// <summary>A tensor of small numbers.</summary>
    public SafetensorsBuilder Floats(string name, params long[] shape)
    {
        var data = new byte[shape.Aggregate(1L, (product, size) => product * size) * sizeof(float)];
        for (int i = 0; i < data.Length; i += sizeof(float))
            BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(i), ((i * 37 % 101) - 50) / 500f);
        return Tensor(name, "F32", shape, data);
    }

    /// <summary>Other contents in a tensor's place.</summary>
    public SafetensorsBuilder Replace(string name, string type, long[] shape, byte[] data) => Without(name).Tensor(name, type, shape, data);

    public SafetensorsBuilder Without(string name)
    {
        Assert.Equal(1, _tensors.RemoveAll(tensor => tensor.Name == name));
        return this;
    }

    public byte[] Build()
    {
        var header = new StringBuilder("{");
        long offset = 0;
        foreach ((string name, string type, long[] shape, byte[] data) in _tensors)
        {
            header.Append(header.Length > 1 ? "," : "").Append(
                $"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{offset},{offset + data.Length}]}}");
            offset += data.Length;
        }

        return Of(header.Append(More).Append('}').ToString(), [.. _tensors.SelectMany(tensor => tensor.Data)]);
    }

    /// <summary>A file of this header, whatever it says.</summary>
    public static byte[] Of(string header, byte[] data) => Of(Encoding.UTF8.GetBytes(header), data);

    public static byte[] Of(byte[] header, byte[] data)
    {
        var length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        return [.. length, .. header, .. data];
    }
}
