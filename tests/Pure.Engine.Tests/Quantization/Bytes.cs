using Pure.Engine.Memory;

namespace Pure.Engine.Tests.Quantization;

/// <summary>Test bytes in native memory, where the engine reads them.</summary>
internal static class Bytes
{
    public static AlignedBuffer<byte> Of(ReadOnlySpan<byte> bytes)
    {
        var buffer = new AlignedBuffer<byte>(bytes.Length);
        bytes.CopyTo(buffer.Span);
        return buffer;
    }
}
