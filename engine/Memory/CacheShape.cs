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
public readonly record struct CacheShape(int Layers, int Columns, int Unit = 1)
{
    /// <summary>Bytes per position over all layers.</summary>
    /// <exception cref="InvalidRequestException">The type's blocks do not fit the keys and values.</exception>
    public long BytesPerPosition(CacheType type) => Layers * RowBytes(type);

    /// <summary>Whether keys and values are whole blocks of the type.</summary>
    public bool Fits(CacheType type) => Unit % type.Format().BlockSize == 0;

    /// <summary>Bytes per position of one layer.</summary>
    /// <exception cref="InvalidRequestException">The type's blocks do not fit the keys and values.</exception>
    internal long RowBytes(CacheType type)
    {
        ElementFormat format = type.Format();
        if (Fits(type))
            return format.RowBytes(Columns);
        throw new InvalidRequestException(
            $"This model's keys and values come in units of {Unit} elements, which blocks of {format.BlockSize} ({type.Word()}) do not fit; "
            + $"use --kv-type {string.Join(", ", Enum.GetValues<CacheType>().Where(Fits).Select(CacheTypes.Word))}.");
    }
}
