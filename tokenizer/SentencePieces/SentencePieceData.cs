using Pure.Tokenizers.Pipeline;

namespace Pure.Tokenizers.SentencePieces;

/// <summary>How a model cuts words into pieces; the values are those of <c>TrainerSpec.ModelType</c>.</summary>
internal enum PieceModel
{
    Unigram = 1,
    BytePair = 2,
    Word = 3,
    Character = 4,
}

/// <summary>What a file of SentencePiece says (<c>sentencepiece_model.proto</c>, message <c>ModelProto</c>); fields that only
/// training needs are passed over.</summary>
internal sealed class SentencePieceData
{
    private readonly List<string> _texts = [];
    private readonly List<float> _scores = [];
    private readonly List<int> _kinds = [];

    private SentencePieceData()
    {
    }

    public IReadOnlyList<string> Texts => _texts;

    public IReadOnlyList<float> Scores => _scores;

    /// <summary>The type of each piece, which has the numbers of <see cref="TokenKind"/>.</summary>
    public IReadOnlyList<int> Kinds => _kinds;

    public PieceModel Model { get; private set; } = PieceModel.Unigram;

    public bool HasByteFallback { get; private set; }

    public bool TakesBlankAsSuffix { get; private set; }

    public string UnknownSurface { get; private set; } = " \u2047 ";

    public string Bos { get; private set; } = "<s>";

    public string Eos { get; private set; } = "</s>";

    public string Padding { get; private set; } = "<pad>";

    public Charsmap? Rules { get; private set; }

    public bool AddsBlank { get; private set; } = true;

    public bool RemovesExtraBlanks { get; private set; } = true;

    public bool EscapesBlanks { get; private set; } = true;

    /// <exception cref="TokenizerException">The bytes are no such message.</exception>
    public static SentencePieceData Read(ReadOnlySpan<byte> bytes, string file)
    {
        var data = new SentencePieceData();
        var reader = new ProtobufReader(bytes, 0, file);
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: data.ReadPiece(reader.Message(), file); break;
                case 2: data.ReadTrainer(reader.Message()); break;
                case 3: data.ReadNormalizer(reader.Message(), file); break;
                default: reader.Skip(); break;
            }
        }
        if (data._texts.Count == 0)
            throw new TokenizerException($"{file}: the file holds no pieces, so it is no SentencePiece model; download it again.");
        return data;
    }

    private void ReadPiece(ProtobufReader reader, string file)
    {
        string text = "";
        float score = 0;
        int kind = (int)TokenKind.Normal;
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: text = reader.Text(); break;
                case 2: score = reader.Float(); break;
                case 3: kind = reader.Integer(); break;
                default: reader.Skip(); break;
            }
        }
        if (text.Length == 0 || !float.IsFinite(score) || kind is < (int)TokenKind.Normal or > (int)TokenKind.Byte)
            throw new TokenizerException(
                $"{file}: piece {_texts.Count} before byte {reader.Position} is {Vocabulary.Quote(text)} with the score {score} and of type {kind}, "
                + "where a text, a finite score and a type from 1 to 6 are expected; the file is damaged: download it again.");
        _texts.Add(text);
        _scores.Add(score);
        _kinds.Add(kind);
    }

    private void ReadTrainer(ProtobufReader reader)
    {
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 3: Model = (PieceModel)reader.Integer(); break;
                case 24: TakesBlankAsSuffix = reader.Boolean(); break;
                case 35: HasByteFallback = reader.Boolean(); break;
                case 44: UnknownSurface = reader.Text(); break;
                case 46: Bos = reader.Text(); break;
                case 47: Eos = reader.Text(); break;
                case 48: Padding = reader.Text(); break;
                default: reader.Skip(); break;
            }
        }
    }

    private void ReadNormalizer(ProtobufReader reader, string file)
    {
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 2:
                    var rules = reader.Bytes();
                    if (!rules.IsEmpty)
                        Rules = Charsmap.Read(rules, problem => new TokenizerException($"{file}: precompiled_charsmap {problem}; download the file again."));
                    break;
                case 3: AddsBlank = reader.Boolean(); break;
                case 4: RemovesExtraBlanks = reader.Boolean(); break;
                case 5: EscapesBlanks = reader.Boolean(); break;
                default: reader.Skip(); break;
            }
        }
    }
}
