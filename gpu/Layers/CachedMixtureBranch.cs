using ILGPU;
using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>A mixture on a device that is brought its routed experts when it needs them.</summary>
internal sealed class CachedMixtureBranch : MixtureBranch
{
    private readonly ExpertCache _cache;
    private readonly int _number;

    internal CachedMixtureBranch(GpuDevice device, Branch branch, MixtureOfExperts mixture, MixtureScratch scratch, ExpertCache cache)
        : base(device, branch, mixture, scratch)
    {
        _cache = cache;
        _number = cache.Add(mixture, this);
    }

    private protected override bool ExpertsReadQ8 => _cache.Experts(_number).ReadsQ8;

    private protected override void Compute(DeviceInput x, int rows)
    {
        CachedMixtureBranch? next = _cache.After(_number);
        _cache.Read(rows, next?.Guess(x, rows) ?? 0);
        Shared.Run(x, rows);
        int pairs = rows * Scratch.Routing.Shape.Used;
        for (int done = 0, ready; done < pairs; done += ready)
        {
            ready = _cache.Prepare(_number, done);
            _cache.Experts(_number).Run(
                x,
                Scratch.Routing.RowOfSlot.SubView(done, ready),
                _cache.PlaceOfSlot.SubView(done, ready),
                ready,
                Scratch.Hidden,
                Scratch.Outputs.SubView((long)done * Gpu.Model.Embedding));
        }

        if (next is not null)
            _cache.BringGuesses(_number);
    }

    /// <summary>Asks the router what it would choose of the layer before; gives the number of rows that were asked about.</summary>
    private int Guess(DeviceInput x, int rows)
    {
        int asked = Math.Min(rows, _cache.Guesses.MaxRows);
        Route(x, asked, _cache.Guesses);
        return asked;
    }
}
