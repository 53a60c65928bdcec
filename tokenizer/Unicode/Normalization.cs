using System.Text;

namespace Pure.Tokenizers.Unicode;

/// <summary>Unicode's normalization forms D, C, KD and KC (UAX #15).</summary>
internal static class Normalization
{
    // Hangul syllables, by arithmetic (The Unicode Standard, §3.12).
    private const int SyllableBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailBase = 0x11A7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Trails = 28;
    private const int Syllables = Leads * Vowels * Trails;

    /// <summary>The text in a form.</summary>
    public static string Apply(string text, NormalizationForm form)
    {
        // Below U+00A0 nothing decomposes and nothing combines; below U+0300 all but a few are composed already.
        bool composes = form is NormalizationForm.FormC or NormalizationForm.FormKC;
        char least = form == NormalizationForm.FormC ? '\u0300' : '\u00A0';
        if (!text.AsSpan().ContainsAnyInRange(least, char.MaxValue))
            return text;

        var codePoints = new List<int>(text.Length);
        bool compatible = form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        foreach (Rune rune in text.EnumerateRunes())
            Decompose(rune.Value, compatible, codePoints);
        Order(codePoints);
        if (composes)
            Compose(codePoints);

        var normalized = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        foreach (int codePoint in codePoints)
            normalized.Append(units[..new Rune(codePoint).EncodeToUtf16(units)]);
        return normalized.ToString();
    }

    private static void Decompose(int codePoint, bool compatible, List<int> destination)
    {
        int syllable = codePoint - SyllableBase;
        if ((uint)syllable < Syllables)
        {
            destination.Add(LeadBase + syllable / (Vowels * Trails));
            destination.Add(VowelBase + syllable % (Vowels * Trails) / Trails);
            if (syllable % Trails > 0)
                destination.Add(TrailBase + syllable % Trails);
        }
        else if (codePoint >= 0xA0 && NormalizationTable.Decompose(codePoint, compatible) is { } parts)
        {
            foreach (int part in parts)
                Decompose(part, compatible, destination);
        }
        else
        {
            destination.Add(codePoint);
        }
    }

    /// <summary>Sorts each run of combining marks by class, those of one class in the order in which they stand.</summary>
    private static void Order(List<int> codePoints)
    {
        int start = -1;
        for (int i = 0; i <= codePoints.Count; i++)
        {
            bool combines = i < codePoints.Count && codePoints[i] >= 0x300 && NormalizationTable.ClassOf(codePoints[i]) > 0;
            if (combines && start < 0)
                start = i;
            if (combines || start < 0)
                continue;
            if (i - start > 1)
            {
                int[] ordered = [.. codePoints[start..i].OrderBy(NormalizationTable.ClassOf)];
                for (int k = 0; k < ordered.Length; k++)
                    codePoints[start + k] = ordered[k];
            }
            start = -1;
        }
    }

    /// <summary>Joins each starter with the marks after it that nothing blocks, in place.</summary>
    private static void Compose(List<int> codePoints)
    {
        int starter = -1;
        int written = 0;
        int lastClass = 0;
        for (int i = 0; i < codePoints.Count; i++)
        {
            int codePoint = codePoints[i];
            int combiningClass = codePoint < 0x300 ? 0 : NormalizationTable.ClassOf(codePoint);
            bool isAdjacent = starter >= 0 && starter == written - 1;
            bool isBlocked = !isAdjacent && lastClass >= combiningClass;
            int composite = starter >= 0 && !isBlocked ? Compose(codePoints[starter], codePoint) : -1;
            if (composite >= 0)
            {
                codePoints[starter] = composite;
                continue;
            }
            if (combiningClass == 0)
                starter = written;
            lastClass = combiningClass;
            codePoints[written++] = codePoint;
        }
        codePoints.RemoveRange(written, codePoints.Count - written);
    }

    private static int Compose(int first, int second)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if ((uint)lead < Leads && (uint)vowel < Vowels)
            return SyllableBase + (lead * Vowels + vowel) * Trails;
        int syllable = first - SyllableBase;
        int trail = second - TrailBase;
        if ((uint)syllable < Syllables && syllable % Trails == 0 && trail is > 0 and < Trails)
            return first + trail;
        return second < 0x300 ? -1 : NormalizationTable.Compose(first, second);
    }
}
