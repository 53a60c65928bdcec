namespace Pure.Tokenizers;

/// <summary>What decoding has to know of the tokens before. The first token that adds anything to a text may look different,
/// and some vocabularies end words with a blank that the last word of a text does not keep.</summary>
internal struct RenderState(Tokenizer tokenizer, bool continuesText)
{
    private bool _isFirst = !continuesText;
    private bool _dropsSpace = !continuesText && tokenizer.DropsLeadingSpace;
    private bool _owesSpace;

    /// <summary>Who writes the tokens, where their bytes alone do not say it.</summary>
    private readonly TokenWriter? _writer = tokenizer.OpenWriter(continuesText);

    public ReadOnlySpan<byte> Next(Tokenizer tokenizer, int id)
    {
        if (_writer is not null)
            return _writer.Append(id);

        var bytes = _isFirst ? tokenizer.FirstBytes(id) : tokenizer.TokenBytes(id);
        _isFirst = false;
        if (_dropsSpace && !bytes.IsEmpty)
        {
            _dropsSpace = false;
            bytes = bytes[0] == ' ' ? bytes[1..] : bytes;
        }
        if (!tokenizer.HoldsTrailingSpace)
            return bytes;

        bool owed = _owesSpace;
        _owesSpace = bytes is [.., (byte)' '];
        bytes = _owesSpace ? bytes[..^1] : bytes;
        return owed ? (byte[])[(byte)' ', .. bytes] : bytes;
    }

    /// <summary>What still waits for another token, now that none comes.</summary>
    public readonly ReadOnlySpan<byte> Flush() => _writer is null ? [] : _writer.Flush();
}
