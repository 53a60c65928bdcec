using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>Scales that stand beside quantised weights.</summary>
internal static class ScaleReader
{
    /// <summary>The numbers of a matrix of floats, which must all be finite.</summary>
    internal static float[] Read(SafetensorsTensor tensor, long rows, long columns)
    {
        ElementType? type = tensor.Type switch
        {
            SafetensorsType.F32 => ElementType.F32,
            SafetensorsType.F16 => ElementType.F16,
            SafetensorsType.BF16 => ElementType.BF16,
            _ => null,
        };
        if (type is null || !tensor.Shape.SequenceEqual([rows, columns]))
        {
            throw new ModelFormatException(
                $"{tensor.Place} is {tensor.Type} of shape {tensor.Sizes}, expected floats of shape [{rows}, {columns}] beside its weights; " +
                "download the folder again.");
        }

        var values = new float[checked((int)(rows * columns))];
        ElementFormat.Of(type.Value).Dequantize(tensor.Data, values);
        int bad = Array.FindIndex(values, value => !float.IsFinite(value));
        if (bad >= 0)
        {
            throw new ModelFormatException(
                $"{tensor.Place} holds {values[bad]} at [{bad / columns}, {bad % columns}], expected finite scales; the folder is damaged: download it again.");
        }

        return values;
    }
}
