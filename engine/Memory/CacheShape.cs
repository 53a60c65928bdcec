using Pure.Engine.Quantization;

namespace Pure.Engine.Memory;

/// <summary>What one position costs in the cache.</summary>
/// <param name="Layers">Number of layers.</param>
/// <param name="Columns">
/// Elements per position and layer: keys and values of all key/value heads, or the latent and its rotary key (kv_lora_rank + rope).
/// </param>
/// <param name="Unit">
/// The largest power of two that divides every key and every value; types that store blocks of elements need it to be whole blocks.
/// </param>
/// <param name="ValueColumns">
/// How many of the columns, the last ones, are values; 0 where keys and values are one latent, which has one type.
/// </param>
/// <param name="Heads">Key/value heads that keys and values are made of, equal in size; what one head reads lies together.</param>
public readonly record struct CacheShape(int Layers, int Columns, int Unit = 1, int ValueColumns = 0, int Heads = 1)
{
    /// <summary>Bytes per position over all layers.</summary>
    /// <param name="keys">How keys are stored.</param>
    /// <param name="values">How values are stored; null for as keys are.</param>
    /// <exception cref="InvalidRequestException">
    /// The blocks of a type do not fit the keys and values, or keys and values are one latent and the types two.
    /// </exception>
    public long BytesPerPosition(CacheType keys, CacheType? values = null) => Layers * RowBytes(keys, values ?? keys);

    /// <summary>Whether keys and values are whole blocks of the type.</summary>
    public bool Fits(CacheType type) => Unit % type.Format().BlockSize == 0;

    /// <summary>Bytes per position of one layer.</summary>
    /// <exception cref="InvalidRequestException">As <see cref="BytesPerPosition"/>.</exception>
    internal long RowBytes(CacheType keys, CacheType values)
    {
        if (keys != values && ValueColumns == 0)
        {
            throw new InvalidRequestException(
                $"This model keeps keys and values as one latent, which has one type, but {keys.Word()} keys and {values.Word()} values were "
                + "asked for; use --kv-type.");
        }

        return PartBytes(keys, Columns - ValueColumns) + PartBytes(values, ValueColumns);
    }

    private long PartBytes(CacheType type, int columns)
    {
        ElementFormat format = type.Format();
        if (Fits(type))
            return format.RowBytes(columns);
        throw new InvalidRequestException(
            $"This model's keys and values come in units of {Unit} elements, which blocks of {format.BlockSize} ({type.Word()}) do not fit; "
            + $"use --kv-type {string.Join(", ", Enum.GetValues<CacheType>().Where(Fits).Select(CacheTypes.Word))}.");
    }
}
