using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>Where a lane's results of a tile go (<see cref="ITensorCores"/>): of each eight slots two, and two outputs, eight apart.</summary>
/// <param name="product">What is made.</param>
/// <param name="expert">Whose outputs.</param>
/// <param name="firstSlot">The lane's first.</param>
/// <param name="slots">How many slots of the tile begin there.</param>
/// <param name="output">The lane's first, which must be one.</param>
internal readonly struct TileTarget(Product product, int expert, int firstSlot, int slots, int output)
{
    private readonly ArrayView<float> _y = product.Y;
    private readonly long _at = ((long)firstSlot * product.YStride) + output;
    private readonly int _stride = product.YStride;
    private readonly int _slots = slots;
    private readonly bool _hasBelow = output + 8 < product.Rows;
    private readonly float _above = product.Offset(expert, output);
    private readonly float _below = product.Offset(expert, Math.Min(output + 8, product.Rows - 1));

    /// <summary>Writes the lane's of the eight slots that begin <paramref name="slot"/> after the tile's first.</summary>
    internal void Write(int slot, Four value)
    {
        long at = _at + ((long)slot * _stride);
        if (slot < _slots)
        {
            _y[at] = value.X + _above;
            if (_hasBelow)
                _y[at + 8] = value.Z + _below;
        }

        if (slot + 1 < _slots)
        {
            _y[at + _stride] = value.Y + _above;
            if (_hasBelow)
                _y[at + _stride + 8] = value.W + _below;
        }
    }
}
