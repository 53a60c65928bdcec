using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Pure.Tokenizers.Tests;

/// <summary>Reads the metadata of a GGUF file that is known to be good (the tokenizer room knows no file formats).</summary>
internal static class GgufVocabulary
{
    public static VocabularyData Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        if (path.EndsWith(".gz", StringComparison.Ordinal))
        {
            using var unpacked = new MemoryStream();
            using (var packed = new GZipStream(new MemoryStream(file), CompressionMode.Decompress))
                packed.CopyTo(unpacked);
            file = unpacked.ToArray();
        }
        var metadata = new Reader(file).ReadMetadata();
        return new VocabularyData
        {
            Model = (string)metadata["tokenizer.ggml.model"],
            PreTokenizer = Text("tokenizer.ggml.pre"),
            ModelName = Text("general.name"),
            Tokens = List<string>("tokenizer.ggml.tokens")!,
            Scores = List<float>("tokenizer.ggml.scores"),
            Kinds = List<int>("tokenizer.ggml.token_type"),
            Merges = List<string>("tokenizer.ggml.merges"),
            Bos = Id("bos"),
            Eos = Id("eos"),
            Eot = Id("eot"),
            Unknown = Id("unknown"),
            Padding = Id("padding"),
            AddBos = Flag("tokenizer.ggml.add_bos_token"),
            AddEos = Flag("tokenizer.ggml.add_eos_token"),
            AddSpacePrefix = Flag("tokenizer.ggml.add_space_prefix"),
        };

        string? Text(string key) => metadata.GetValueOrDefault(key) as string;
        bool? Flag(string key) => metadata.GetValueOrDefault(key) as bool?;
        int? Id(string name) => metadata.GetValueOrDefault($"tokenizer.ggml.{name}_token_id") is { } id ? Convert.ToInt32(id) : null;
        List<T>? List<T>(string key) => metadata.GetValueOrDefault(key) is List<object> items ? [.. items.Cast<T>()] : null;
    }

    private sealed class Reader(byte[] file)
    {
        private int _at;

        public Dictionary<string, object> ReadMetadata()
        {
            _at = 16;
            long count = BinaryPrimitives.ReadInt64LittleEndian(Take(8));
            var metadata = new Dictionary<string, object>();
            for (long i = 0; i < count; i++)
                metadata[ReadString()] = ReadValue(BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
            return metadata;
        }

        private object ReadValue(int type) => type switch
        {
            0 => Take(1)[0],
            1 => (sbyte)Take(1)[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2)),
            3 => BinaryPrimitives.ReadInt16LittleEndian(Take(2)),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(Take(4)),
            5 => BinaryPrimitives.ReadInt32LittleEndian(Take(4)),
            6 => BinaryPrimitives.ReadSingleLittleEndian(Take(4)),
            7 => Take(1)[0] != 0,
            8 => ReadString(),
            9 => ReadList(),
            10 or 11 => BinaryPrimitives.ReadInt64LittleEndian(Take(8)),
            12 => BinaryPrimitives.ReadDoubleLittleEndian(Take(8)),
            _ => throw new InvalidDataException($"GGUF value type {type}"),
        };

        private List<object> ReadList()
        {
            int type = BinaryPrimitives.ReadInt32LittleEndian(Take(4));
            long count = BinaryPrimitives.ReadInt64LittleEndian(Take(8));
            var items = new List<object>();
            for (long i = 0; i < count; i++)
                items.Add(ReadValue(type));
            return items;
        }

        private string ReadString() => Encoding.UTF8.GetString(Take((int)BinaryPrimitives.ReadInt64LittleEndian(Take(8))));

        private ReadOnlySpan<byte> Take(int count) => file.AsSpan((_at += count) - count, count);
    }
}
