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
/// <see cref="ElementType.Q4_0"/>, whose blocks of 32 inputs repeat their group's half-precision scale. Where that cannot be (a group is
/// no multiple of 32; act-order scatters the inputs of a group; a scale is no half) they are widened to F32.
/// </remarks>
internal sealed class PackedIntegers
{
    private const int PerWord = 8;
    private const int BitsEach = 4;
    private const int Block = 32;

    private readonly SafetensorsTensor _weights;
    private readonly bool _isAwq;
    private readonly int _inputs;
    private readonly int _outputs;
    private readonly int[] _groupOf;
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
        _scales = ScaleReader.Read(Companion(parameters, "scales"), _groups, _outputs);
        _zeros = ReadZeros(Integers(parameters, "qzeros", 2), quantization.ZeroOffset);
    }

    internal static StoredMatrix Read(Dictionary<string, SafetensorsTensor> parameters, QuantizationConfig quantization, List<IDisposable> memory)
    {
        var packed = new PackedIntegers(parameters, quantization);
        return packed.Convert(packed.TypeFor(quantization), memory);
    }

    private ElementType TypeFor(QuantizationConfig quantization)
    {
        bool blocksFit = _inputs % Block == 0
            && Enumerable.Range(0, _inputs).All(input => _groupOf[input] == _groupOf[input / Block * Block])
            && Array.TrueForAll(_scales, scale => (float)(Half)scale == scale);
        if (!blocksFit)
            return ElementType.F32;
        return quantization.IsSymmetric && Array.TrueForAll(_zeros, zero => zero == 8) ? ElementType.Q4_0 : ElementType.Q5_0;
    }

    private StoredMatrix Convert(ElementType type, List<IDisposable> memory)
    {
        int rowBytes = checked((int)ElementFormat.Of(type).RowBytes(_inputs));
        AlignedBuffer<byte> copy = Layouts.Own(new AlignedBuffer<byte>((long)_outputs * rowBytes), memory);
        var rows = new sbyte[PerWord][];
        for (int row = 0; row < PerWord; row++)
            rows[row] = new sbyte[_inputs];
        for (int first = 0; first < _outputs; first += PerWord)
        {
            Unpack(first, rows);
            for (int row = 0; row < PerWord; row++)
                Encode(type, first + row, rows[row], copy.Writable((long)(first + row) * rowBytes, rowBytes));
        }

        return new StoredMatrix(type, [_outputs, _inputs], [copy.View], _weights.File);
    }

    /// <summary>q - zero of the eight outputs from <paramref name="first"/>, of all inputs.</summary>
    private void Unpack(int first, sbyte[][] rows)
    {
        for (int line = 0; line < (_isAwq ? _inputs : _inputs / PerWord); line++)
        {
            for (int word = 0; word < (_isAwq ? 1 : PerWord); word++)
            {
                long at = _isAwq ? ((long)line * (_outputs / PerWord)) + (first / PerWord) : ((long)line * _outputs) + first + word;
                uint bits = BinaryPrimitives.ReadUInt32LittleEndian(_weights.Data.AsSpan(at * sizeof(uint), sizeof(uint)));
                for (int nibble = 0; nibble < PerWord; nibble++)
                {
                    int row = _isAwq ? AwqOutput(nibble) : word;
                    int input = _isAwq ? line : (line * PerWord) + nibble;
                    int q = (int)(bits >> (BitsEach * nibble)) & 0xF;
                    rows[row][input] = (sbyte)(q - _zeros[(_groupOf[input] * _outputs) + first + row]);
                }
            }
        }
    }

    private void Encode(ElementType type, int output, ReadOnlySpan<sbyte> values, Span<byte> to)
    {
        if (type == ElementType.F32)
        {
            for (int input = 0; input < _inputs; input++)
                BinaryPrimitives.WriteSingleLittleEndian(to[(input * sizeof(float))..], values[input] * Scale(input, output));
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

    private float Scale(int input, int output) => _scales[(_groupOf[input] * _outputs) + output];

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
