using Pure.Engine.Layers;

namespace Pure.Engine.Reference;

/// <summary>Rotary position embedding (Su et al. 2021, arXiv:2104.09864, equation 34).</summary>
internal static class Rotation
{
    /// <summary>Turns pair i of a head's rotary dimensions by position · frequency[i], in place.</summary>
    internal static void InPlace(RotaryEmbedding rope, int position, Span<double> head)
    {
        int pairs = rope.Frequencies.Length;
        for (int pair = 0; pair < pairs; pair++)
        {
            int first = rope.PairsAdjacent ? 2 * pair : pair;
            int second = rope.PairsAdjacent ? first + 1 : pair + pairs;
            (double sin, double cos) = Math.SinCos(position * rope.Frequencies[pair]);
            (double a, double b) = (head[first], head[second]);
            head[first] = ((a * cos) - (b * sin)) * rope.Magnitude;
            head[second] = ((a * sin) + (b * cos)) * rope.Magnitude;
        }
    }
}
