using System.Buffers.Binary;
using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>
/// AWQ and GPTQ: 4-bit weights <c>(q - zero) · scale</c>, with a zero and a scale for each output and each group of inputs.
/// <code>
///          qweight                                   qzeros                              scales
/// AWQ      i32 [inputs, outputs / 8]                 i32 [groups, outputs / 8]           [groups, outputs]
/// GPTQ     i32 [inputs / 8, outputs]                 i32 [groups, outputs / 8]           [groups, outputs]    g_idx i32 [inputs]
///
/// nibble   0  1  2  3  4  5  6  7    of a word, from its low end
/// AWQ      0  2  4  6  1  3  5  7    which of the eight outputs
/// GPTQ     0  1  2  3  4  5  6  7    which of the eight inputs, or outputs of a zero
/// </code>
/// </summary>
/// <remarks>
/// Nothing is lost: q - zero lies between -16 and 15, so the weights become <see cref="ElementType.Q5_0"/>, or where zero is always 8
/// <see cref="ElementType.Q4_0"/>, whose blocks of 32 inputs repeat their group's half-precision scale. Where act-order scatters the
/// inputs of a group, columns are stored group by group and <see cref="StoredMatrix.ColumnOrder"/> names their inputs. Where a group is
/// no multiple of 32, or a scale no half, weights are widened to F32.
/// </remarks>
internal sealed class PackedIntegers
{
    private const int PerWord = 8;
    private const int BitsEach = 4;
    private const int Block = 32;

    // Outputs that are unpacked at a time: whole cache lines of either packing, and rows that stay in a core's cache.
    private const int TileOutputs = 128;

    private readonly SafetensorsTensor _weights;
    private readonly bool _isAwq;
    private readonly int _inputs;
    private readonly int _outputs;
    private readonly int[] _groupOf; // of each input
    private int[] _inputOf; // of each stored column
    private int[] _columnOf; // of each input
    private readonly int _groups;
    private readonly float[] _scales;
    private readonly byte[] _zeros;

    private PackedIntegers(Dictionary<string, SafetensorsTensor> parameters, QuantizationConfig quantization)
    {
        _weights = Integers(parameters, "qweight", 2);
        _isAwq = quantization.Method == QuantizationMethod.Awq;
        (long inputs, long outputs) = (_weights.Shape[0], _weights.Shape[1]);
        (inputs, outputs) = _isAwq ? (inputs, outputs * PerWord) : (inputs * PerWord, outputs);
        if (inputs is 0 or > int.MaxValue || outputs is 0 or > int.MaxValue || outputs % PerWord != 0)
        {
            throw new ModelFormatException(
                $"{_weights.Place} of shape {_weights.Sizes} holds weights of {inputs} inputs and {outputs} outputs, expected numbers of them in eights; " +
                "the folder is damaged: download it again.");
        }

        (_inputs, _outputs) = ((int)inputs, (int)outputs);
        long groupSize = quantization.GroupSize == -1 ? inputs : Math.Min(inputs, quantization.GroupSize);
        _groups = (int)((inputs - 1) / groupSize) + 1;
        _groupOf = [.. Enumerable.Range(0, _inputs).Select(input => (int)(input / groupSize))];
        if (parameters.TryGetValue("g_idx", out SafetensorsTensor? order))
            ReadOrder(order);
        _inputOf = _columnOf = [.. Enumerable.Range(0, _inputs)];
        _scales = ScaleReader.Read(Companion(parameters, "scales"), _groups, _outputs);
        _zeros = ReadZeros(Integers(parameters, "qzeros", 2), quantization.ZeroOffset);
    }

    internal static StoredMatrix Read(Dictionary<string, SafetensorsTensor> parameters, QuantizationConfig quantization, List<IDisposable> memory)
    {
        var packed = new PackedIntegers(parameters, quantization);
        return packed.Convert(packed.TypeFor(quantization), memory);
    }

    /// <summary>The type that loses nothing, with columns in the order that it needs.</summary>
    private ElementType TypeFor(QuantizationConfig quantization)
    {
        if (_inputs % Block != 0 || !Array.TrueForAll(_scales, scale => (float)(Half)scale == scale))
            return ElementType.F32;
        if (!BlocksShareAGroup(_inputOf))
        {
            int[] byGroup = [.. _inputOf.OrderBy(input => _groupOf[input])];
            if (!BlocksShareAGroup(byGroup))
                return ElementType.F32;
            _inputOf = byGroup;
            _columnOf = new int[_inputs];
            for (int column = 0; column < _inputs; column++)
                _columnOf[_inputOf[column]] = column;
        }

        return quantization.IsSymmetric && Array.TrueForAll(_zeros, zero => zero == 8) ? ElementType.Q4_0 : ElementType.Q5_0;
    }

    private bool BlocksShareAGroup(int[] inputOf) =>
        Enumerable.Range(0, _inputs).All(column => _groupOf[inputOf[column]] == _groupOf[inputOf[column / Block * Block]]);

    private StoredMatrix Convert(ElementType type, List<IDisposable> memory)
    {
        int rowBytes = checked((int)ElementFormat.Of(type).RowBytes(_inputs));
        AlignedBuffer<byte> copy = Layouts.Own(new AlignedBuffer<byte>((long)_outputs * rowBytes), memory);
        Parallel.For(
            0,
            ((_outputs - 1) / TileOutputs) + 1,
            NewTile,
            (tile, _, rows) =>
            {
                int first = tile * TileOutputs;
                int count = Math.Min(TileOutputs, _outputs - first);
                Unpack(first, count, rows);
                for (int row = 0; row < count; row++)
                    Encode(type, first + row, rows[row], copy.Writable((long)(first + row) * rowBytes, rowBytes));
                return rows;
            },
            _ => { });
        return new StoredMatrix(type, [_outputs, _inputs], [copy.View], _weights.File)
        {
            ColumnOrder = ReferenceEquals(_inputOf, _columnOf) ? null : _inputOf,
        };
    }

    private sbyte[][] NewTile() => [.. Enumerable.Range(0, Math.Min(TileOutputs, _outputs)).Select(_ => new sbyte[_inputs])];

    /// <summary>q - zero of <paramref name="count"/> outputs from <paramref name="first"/>, of all columns.</summary>
    private void Unpack(int first, int count, sbyte[][] rows)
    {
        int lineWords = _isAwq ? _outputs / PerWord : _outputs;
        int firstWord = _isAwq ? first / PerWord : first;
        int words = _isAwq ? count / PerWord : count;
        for (int line = 0; line < (_isAwq ? _inputs : _inputs / PerWord); line++)
        {
            ReadOnlySpan<byte> tile = _weights.Data.AsSpan((((long)line * lineWords) + firstWord) * sizeof(uint), words * sizeof(uint));
            for (int word = 0; word < words; word++)
            {
                uint bits = BinaryPrimitives.ReadUInt32LittleEndian(tile[(word * sizeof(uint))..]);
                for (int nibble = 0; nibble < PerWord; nibble++)
                {
                    int row = _isAwq ? (word * PerWord) + AwqOutput(nibble) : word;
                    int input = _isAwq ? line : (line * PerWord) + nibble;
                    int q = (int)(bits >> (BitsEach * nibble)) & 0xF;
                    rows[row][_columnOf[input]] = (sbyte)(q - _zeros[(_groupOf[input] * _outputs) + first + row]);
                }
            }
        }
    }

    private void Encode(ElementType type, int output, ReadOnlySpan<sbyte> values, Span<byte> to)
    {
        if (type == ElementType.F32)
        {
            for (int column = 0; column < _inputs; column++)
                BinaryPrimitives.WriteSingleLittleEndian(to[(column * sizeof(float))..], values[column] * Scale(column, output));
            return;
        }

        int blockBytes = ElementFormat.Of(type).BlockBytes;
        int quantsAt = blockBytes - (Block / 2);
        int zero = type == ElementType.Q4_0 ? 8 : 16;
        for (int first = 0; first < _inputs; first += Block, to = to[blockBytes..])
        {
            uint fifthBits = 0;
            BinaryPrimitives.WriteHalfLittleEndian(to, (Half)Scale(first, output));
            for (int j = 0; j < Block / 2; j++)
            {
                int low = values[first + j] + zero;
                int high = values[first + j + (Block / 2)] + zero;
                to[quantsAt + j] = (byte)((low & 0xF) | ((high & 0xF) << 4));
                fifthBits |= ((uint)low >> 4 << j) | ((uint)high >> 4 << (j + (Block / 2)));
            }

            if (type == ElementType.Q5_0)
                BinaryPrimitives.WriteUInt32LittleEndian(to[(quantsAt - sizeof(uint))..], fifthBits);
        }
    }

    private float Scale(int column, int output) => _scales[(_groupOf[_inputOf[column]] * _outputs) + output];

    /// <summary>Zeros <c>[groups, outputs]</c>, 0 to 16.</summary>
    private byte[] ReadZeros(SafetensorsTensor packed, int offset)
    {
        if (!packed.Shape.SequenceEqual([_groups, _outputs / PerWord]))
        {
            throw new ModelFormatException(
                $"{packed.Place} has shape {packed.Sizes}, expected [{_groups}, {_outputs / PerWord}] beside its weights; download the folder again.");
        }

        var zeros = new byte[checked(_groups * _outputs)];
        for (int word = 0; word < zeros.Length / PerWord; word++)
        {
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(packed.Data.AsSpan((long)word * sizeof(uint), sizeof(uint)));
            for (int nibble = 0; nibble < PerWord; nibble++)
            {
                int output = _isAwq ? AwqOutput(nibble) : nibble;
                zeros[(word * PerWord) + output] = (byte)(((bits >> (BitsEach * nibble)) & 0xF) + offset);
            }
        }

        return zeros;
    }

    /// <summary>The group of each input, where groups are not simply one after the other (act-order).</summary>
    private void ReadOrder(SafetensorsTensor order)
    {
        if (order.Type != SafetensorsType.I32 || !order.Shape.SequenceEqual([_inputs]))
        {
            throw new ModelFormatException(
                $"{order.Place} is {order.Type} of shape {order.Sizes}, expected I32 of shape [{_inputs}] beside its weights; download the folder again.");
        }

        for (int input = 0; input < _inputs; input++)
        {
            int group = BinaryPrimitives.ReadInt32LittleEndian(order.Data.AsSpan((long)input * sizeof(int), sizeof(int)));
            if (group < 0 || group >= _groups)
            {
                throw new ModelFormatException(
                    $"{order.Place} puts input {input} into group {group}, expected 0 to {_groups - 1}; the folder is damaged: download it again.");
            }

            _groupOf[input] = group;
        }
    }

    private static int AwqOutput(int nibble) => (nibble % 4 * 2) + (nibble / 4);

    private static SafetensorsTensor Integers(Dictionary<string, SafetensorsTensor> parameters, string name, int dimensions)
    {
        SafetensorsTensor tensor = Companion(parameters, name);
        if (tensor.Type != SafetensorsType.I32 || tensor.Shape.Count != dimensions)
        {
            throw new ModelFormatException(
                $"{tensor.Place} is {tensor.Type} of shape {tensor.Sizes}, expected I32 with {dimensions} dimensions; download the folder again.");
        }

        return tensor;
    }

    private static SafetensorsTensor Companion(Dictionary<string, SafetensorsTensor> parameters, string name) =>
        parameters.TryGetValue(name, out SafetensorsTensor? tensor) ? tensor : throw new ModelFormatException(
            $"{parameters.Values.First().Place} has no {name} beside it, which quantised weights need; the folder is incomplete: download it again.");
}
