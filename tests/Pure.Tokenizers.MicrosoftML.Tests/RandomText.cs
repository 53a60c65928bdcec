using System.Text;

namespace Pure.Tokenizers.MicrosoftML.Tests;

/// <summary>Seeded random texts that favour what tokenizers trip over.</summary>
internal static class RandomText
{
    private static readonly string[] Favourites =
    [
        " ", "  ", "\n", "the", " the", "cats", "there", "ab", "é", "e\u0301", "字", "かな", "🙂", "👩‍👩‍👧", "𝟙𝟚", "\uFFFD", "\0", "<|eos|>", "<s>", "</s>",
        "<0x41>", "[UNK]", "[CLS]", "123", "!", ",",
    ];

    /// <summary>A well-formed text without ▁, which SentencePiece cannot tell from a blank.</summary>
    public static string Next(Random random)
    {
        var text = new StringBuilder();
        for (int parts = random.Next(24); parts > 0; parts--)
        {
            int value = random.Next(random.Next(2) == 0 ? 0x7F : 0x110000);
            text.Append(random.Next(3) > 0 ? Favourites[random.Next(Favourites.Length)]
                : Rune.IsValid(value) && value != '▁' ? new Rune(value).ToString() : "");
        }
        return text.ToString();
    }
}
