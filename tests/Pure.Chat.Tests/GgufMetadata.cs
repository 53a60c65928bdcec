using System.Text;

namespace Pure.Chat.Tests;

/// <summary>GGUF files of metadata alone.</summary>
internal static class GgufMetadata
{
    internal static MemoryStream Of(params (string Key, object Value)[] metadata)
    {
        const int String = 8, Array = 9, Int64 = 11;
        var stream = new MemoryStream();
        var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write("GGUF"u8);
        writer.Write(3);
        writer.Write(0L);
        writer.Write((long)metadata.Length);
        foreach ((string key, object value) in metadata)
        {
            Text(key);
            switch (value)
            {
                case string text:
                    writer.Write(String);
                    Text(text);
                    break;
                case string[] texts:
                    writer.Write(Array);
                    writer.Write(String);
                    writer.Write((long)texts.Length);
                    foreach (string text in texts)
                        Text(text);
                    break;
                default:
                    writer.Write(Int64);
                    writer.Write((long)value);
                    break;
            }
        }

        stream.Position = 0;
        return stream;

        void Text(string text)
        {
            writer.Write((long)text.Length);
            writer.Write(Encoding.ASCII.GetBytes(text));
        }
    }
}
