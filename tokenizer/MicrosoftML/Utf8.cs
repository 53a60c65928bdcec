using System.Text;

namespace Pure.Tokenizers.MicrosoftML;

internal static class Utf8
{
    /// <summary>Whether bytes of an unfinished character wait for more.</summary>
    public static bool HasRest(this Decoder decoder) => decoder.GetCharCount([], flush: true) > 0;
}
