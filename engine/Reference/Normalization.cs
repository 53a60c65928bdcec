using Pure.Engine.Layers;

namespace Pure.Engine.Reference;

/// <summary>Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467, equation 4).</summary>
internal static class Normalization
{
    /// <summary>Every row, into new ones.</summary>
    internal static Matrix Of(RmsNorm norm, Matrix x)
    {
        var y = new Matrix(x.Rows, x.Columns);
        for (int row = 0; row < x.Rows; row++)
        {
            x[row].CopyTo(y[row]);
            InPlace(norm, y[row]);
        }

        return y;
    }

    /// <summary>One row, of the norm's own width.</summary>
    internal static void InPlace(RmsNorm norm, Span<double> x)
    {
        double squares = 0;
        foreach (double value in x)
            squares += value * value;
        double root = Math.Sqrt((squares / x.Length) + norm.Epsilon);
        for (int column = 0; column < x.Length; column++)
            x[column] = x[column] / root * norm.Weight[column];
    }
}
