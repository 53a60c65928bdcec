namespace Pure.Tokenizers.PreTokenizers;

/// <summary>A stretch of text as code points with their classes. Patterns see nothing outside it: its end is the end of the
/// text for <c>$</c> and for lookaheads.</summary>
internal readonly ref struct Piece(ReadOnlySpan<int> codePoints, ReadOnlySpan<CharacterClass> classes)
{
    private readonly ReadOnlySpan<int> _codePoints = codePoints;
    private readonly ReadOnlySpan<CharacterClass> _classes = classes;

    public int Length => _codePoints.Length;

    /// <summary>The code point at an index, or -1 outside.</summary>
    public int this[int index] => (uint)index < (uint)_codePoints.Length ? _codePoints[index] : -1;

    /// <summary>The class at an index, or <see cref="CharacterClass.None"/> outside.</summary>
    public CharacterClass ClassAt(int index) => (uint)index < (uint)_classes.Length ? _classes[index] : CharacterClass.None;

    public bool Is(int index, CharacterClass classes) => (ClassAt(index) & classes) != 0;

    /// <summary>Where the run of characters of these classes that starts at an index ends.</summary>
    public int RunEnd(int index, CharacterClass classes)
    {
        while (Is(index, classes))
            index++;
        return index;
    }

    public Piece Slice(int start, int end) => new(_codePoints[start..end], _classes[start..end]);
}
