using System.Text;

namespace Pure.Tokenizers.Tests;

/// <summary>Seeded random texts that favour what tokenizers trip over.</summary>
internal static class RandomText
{
    private static readonly string[] Favourites =
    [
        " ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "'", "123", "4567", "é", "e\u0301", "字", "かな", "한", "🙂", "👩‍👩‍👧", "𝟙𝟚", "\u3000",
        "\u0085", "\u00A0", "\uFEFF", "\uFFFD", "\0", "the", " the", "<|eot_id|>", "<think>", "<s>", "<0x41>", "[PAD265]", "Ġ", "½", "٣", "…", "$+`|", "ß",
    ];

    /// <summary>A well-formed text without ▁.</summary>
    public static string Next(Random random, int mostParts = 24)
    {
        var text = new StringBuilder();
        for (int parts = random.Next(mostParts); parts > 0; parts--)
        {
            switch (random.Next(4))
            {
                case 0:
                    text.Append((char)random.Next(0x20, 0x7F));
                    break;
                case 1:
                    int value = random.Next(random.Next(2) == 0 ? 0x3000 : 0x110000);
                    if (Rune.IsValid(value) && value != '▁')
                        text.Append(new Rune(value));
                    break;
                case 2:
                    text.Append("abcth e"[random.Next(7)], random.Next(1, 9));
                    break;
                default:
                    text.Append(Favourites[random.Next(Favourites.Length)]);
                    break;
            }
        }
        return text.ToString();
    }
}
