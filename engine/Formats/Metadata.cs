namespace Pure.Engine.Formats;

/// <summary>
/// The keys and values of a model, by the names that GGUF gives them, whatever format they come from. <c>Get…</c> throws when the
/// key is missing, <c>Find…</c> answers null; both throw when its type is another.
/// </summary>
public abstract class Metadata
{
    /// <summary>All keys, in the order of the file.</summary>
    public abstract IReadOnlyCollection<string> Keys { get; }

    /// <summary>The file's name, for messages.</summary>
    internal abstract string File { get; }

    /// <summary>Whether there is a value for <paramref name="key"/>.</summary>
    public abstract bool Contains(string key);

    /// <summary>Number of elements of the array at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no array.</exception>
    public abstract int? FindCount(string key);

    /// <summary>The string at <paramref name="key"/>.</summary>
    /// <exception cref="ModelFormatException">The key is missing or no string.</exception>
    public string GetString(string key) => FindString(key) ?? throw Missing(key, "a string");

    /// <summary>The string at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no string.</exception>
    public abstract string? FindString(string key);

    /// <summary>The integer at <paramref name="key"/>.</summary>
    /// <exception cref="ModelFormatException">The key is missing or no integer, or the value is 2^63 or more.</exception>
    public long GetInteger(string key) => FindInteger(key) ?? throw Missing(key, "an integer");

    /// <summary>The integer at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no integer, or 2^63 or more.</exception>
    public abstract long? FindInteger(string key);

    /// <summary>The number at <paramref name="key"/>: a float, or an integer.</summary>
    /// <exception cref="ModelFormatException">The key is missing or no number.</exception>
    public double GetNumber(string key) => FindNumber(key) ?? throw Missing(key, "a number");

    /// <summary>The number at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no number.</exception>
    public abstract double? FindNumber(string key);

    /// <summary>The boolean at <paramref name="key"/>.</summary>
    /// <exception cref="ModelFormatException">The key is missing or no boolean.</exception>
    public bool GetBoolean(string key) => FindBoolean(key) ?? throw Missing(key, "a boolean");

    /// <summary>The boolean at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no boolean.</exception>
    public abstract bool? FindBoolean(string key);

    /// <summary>The strings at <paramref name="key"/>.</summary>
    /// <exception cref="ModelFormatException">The key is missing or no array of strings.</exception>
    public string[] GetStrings(string key) => FindStrings(key) ?? throw Missing(key, "an array of strings");

    /// <summary>The strings at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no array of strings.</exception>
    public abstract string[]? FindStrings(string key);

    /// <summary>The integers at <paramref name="key"/>.</summary>
    /// <exception cref="ModelFormatException">The key is missing or no array of integers.</exception>
    public long[] GetIntegers(string key) => FindIntegers(key) ?? throw Missing(key, "an array of integers");

    /// <summary>The integers at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no array of integers.</exception>
    public abstract long[]? FindIntegers(string key);

    /// <summary>The floats at <paramref name="key"/>.</summary>
    /// <exception cref="ModelFormatException">The key is missing or no array of floats.</exception>
    public float[] GetFloats(string key) => FindFloats(key) ?? throw Missing(key, "an array of floats");

    /// <summary>The floats at <paramref name="key"/>, null when missing.</summary>
    /// <exception cref="ModelFormatException">The value is no array of floats.</exception>
    public abstract float[]? FindFloats(string key);

    private protected ModelFormatException Missing(string key, string expected) => new(
        $"{File}: key '{key}' is missing, {expected} was expected; convert the model again with a newer converter.");
}
