using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>Weights as kernels read them; <see cref="DeviceMatrix"/> draws the arrays.</summary>
internal readonly struct WeightView(ArrayView<Quad> codes, ArrayView<Pair> high, ArrayView<ushort> scales, ArrayView<int> supers)
{
    internal readonly ArrayView<Quad> Codes = codes;
    internal readonly ArrayView<Pair> High = high;
    internal readonly ArrayView<ushort> Scales = scales;
    internal readonly ArrayView<int> Supers = supers;
}

/// <summary>Rows of activations as kernels read them; <see cref="DeviceInput"/> owns the arrays.</summary>
internal readonly struct InputView(ArrayView<Four> values, ArrayView<Quad> codes, ArrayView<float> scales, ArrayView<int> sums)
{
    /// <summary>Floats <c>[rows, columns / 4]</c>.</summary>
    internal readonly ArrayView<Four> Values = values;

    /// <summary>Codes from -127 to 127, a byte each <c>[rows, columns / 16]</c>.</summary>
    internal readonly ArrayView<Quad> Codes = codes;

    /// <summary>Scale of a block <c>[rows, columns / 32]</c>.</summary>
    internal readonly ArrayView<float> Scales = scales;

    /// <summary>Sum of a block's codes <c>[rows, columns / 32]</c>.</summary>
    internal readonly ArrayView<int> Sums = sums;

    /// <summary>Writes eight columns in both forms; see <see cref="QuantizeKernel.Store"/>.</summary>
    internal void Store(Four a, Four b, long eight, bool isInside)
    {
        QuantizeKernel.Store(a, b, eight, isInside, Codes.Cast<Pair>(), Scales, Sums);
        if (isInside)
        {
            Values[eight * 2] = a;
            Values[(eight * 2) + 1] = b;
        }
    }
}

/// <summary>Where the rows of a product come from and go to.</summary>
/// <param name="inputRowOfSlot">Input row of each slot; empty where slot and row are the same.</param>
/// <param name="expertOfSlot">Expert of each slot; empty where there is one matrix, or <paramref name="firstSlotOfExpert"/> says it.</param>
/// <param name="firstSlotOfExpert">Where each expert's slots begin, and after the last expert how many there are; empty where they are not sorted.</param>
/// <param name="bias"><c>[experts, rows]</c>, or empty.</param>
/// <param name="y"><c>[slots, yStride]</c>, of which the first <paramref name="rows"/> columns are written.</param>
/// <param name="slots">How many.</param>
/// <param name="rows">Rows of a matrix, or of one expert's.</param>
/// <param name="blocks">Blocks of 32 columns.</param>
/// <param name="yStride">Elements from one row of <paramref name="y"/> to the next.</param>
internal readonly struct Product(
    ArrayView<int> inputRowOfSlot,
    ArrayView<int> expertOfSlot,
    ArrayView<int> firstSlotOfExpert,
    ArrayView<float> bias,
    ArrayView<float> y,
    int slots,
    int rows,
    int blocks,
    int yStride)
{
    internal readonly ArrayView<int> InputRowOfSlot = inputRowOfSlot;
    internal readonly ArrayView<int> ExpertOfSlot = expertOfSlot;
    internal readonly ArrayView<int> FirstSlotOfExpert = firstSlotOfExpert;
    internal readonly ArrayView<float> Bias = bias;
    internal readonly ArrayView<float> Y = y;
    internal readonly int Slots = slots;
    internal readonly int Rows = rows;
    internal readonly int Blocks = blocks;
    internal readonly int YStride = yStride;

    internal int InputRow(int slot) => InputRowOfSlot.Length > 0 ? InputRowOfSlot[slot] : slot;

    internal int Expert(int slot) => ExpertOfSlot.Length > 0 ? ExpertOfSlot[slot] : 0;

    /// <summary>The first slot of an expert whose slots are sorted, or of all.</summary>
    internal int FirstSlot(int expert) => FirstSlotOfExpert.Length > 0 ? FirstSlotOfExpert[expert] : 0;

    /// <summary>The slot after the last.</summary>
    internal int EndSlot(int expert) => FirstSlotOfExpert.Length > 0 ? FirstSlotOfExpert[expert + 1] : Slots;

    /// <summary>The bias of an output.</summary>
    internal float Offset(int expert, int row) => Bias.Length > 0 ? Bias[((long)expert * Rows) + row] : 0;

    /// <summary>Writes the element of a slot and row.</summary>
    internal void Write(int slot, int expert, int row, float value) => Y[((long)slot * YStride) + row] = value + Offset(expert, row);
}
