using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>Room on the device for some of the routed experts of layers whose experts are alike in type and shape.</summary>
internal sealed class ExpertPool : IDisposable
{
    private readonly MixtureOfExperts.Weights[] _layers;
    private readonly ExpertNetworks _networks;

    /// <param name="device">Where.</param>
    /// <param name="layers">The layers that share it.</param>
    /// <param name="places">Experts that have room at once.</param>
    internal ExpertPool(GpuDevice device, MixtureOfExperts.Weights[] layers, int places)
    {
        _layers = layers;
        _networks = new ExpertNetworks(device, layers[0], places);
        Places = new ExpertPlaces(places, layers.Length, layers[0].Gate.Length);
    }

    /// <summary>Which experts are there.</summary>
    internal ExpertPlaces Places { get; }

    /// <summary>The experts in their places.</summary>
    internal ExpertNetworks Networks => _networks;

    /// <summary>Brings experts to their places; those that do not arrive are forgotten.</summary>
    internal void Bring(GpuQueue copies, List<ExpertPlace> missing)
    {
        int arrived = 0;
        try
        {
            for (; arrived < missing.Count; arrived++)
                _networks.Put(copies, missing[arrived].Place, _layers[missing[arrived].Layer], missing[arrived].Expert);
        }
        catch
        {
            for (; arrived < missing.Count; arrived++)
                Places.Forget(missing[arrived].Layer, missing[arrived].Expert);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _networks.Dispose();
}
