using System.Diagnostics.CodeAnalysis;
using Pure.Engine.Formats;
using Pure.Engine.Formats.HuggingFace;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Models;

/// <summary>A model without a file: keys, and tensors of any element type there is.</summary>
internal sealed class MemoryModelFile : ModelFile
{
    private readonly FolderMetadata _keys = new("memory");
    private readonly OrderedDictionary<string, Tensor> _tensors = [];
    private readonly Dictionary<string, AlignedBuffer<byte>> _memory = [];

    public override string Path => "memory";

    public override IReadOnlyList<Tensor> Tensors => [.. _tensors.Values];

    public override long FileBytes => _tensors.Values.Sum(tensor => tensor.Bytes);

    private protected override Metadata Keys => _keys;

    /// <summary>Sets a key to a string, long, double or bool.</summary>
    public void Set(string key, object value) => _keys.Set(key, value is int integer ? (long)integer : value);

    public void Add(string name, ElementType type, long[] shape, AlignedBuffer<byte> data)
    {
        _memory.Add(name, data);
        _tensors.Add(name, new Tensor(name, type, shape, data.View, Path));
    }

    /// <summary>A tensor's bytes, for a test to spoil.</summary>
    public Span<byte> Bytes(string name) => _memory[name].Span;

    public override bool TryGetTensor(string name, [NotNullWhen(true)] out Tensor? tensor) => _tensors.TryGetValue(name, out tensor);

    public override void Dispose()
    {
        foreach (AlignedBuffer<byte> buffer in _memory.Values)
            buffer.Dispose();
    }
}
