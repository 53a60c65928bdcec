using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>Weights × float activations: y[i, r] = weight row r · input row i.</summary>
internal static unsafe class MatMulFloatKernel
{
    private const int Rows = 4;
    private const int Inputs = 4;

    /// <summary>Four rows of this many floats are 16 KB, half of a first cache.</summary>
    private const int ColumnSpan = 1024;

    /// <summary>The definition: a weight row as floats (every rounding apart), then <see cref="FloatDot"/> with each input row.</summary>
    internal static void Scalar(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
    {
        float* scratch = Scratch.Floats(weights.Columns);
        for (int row = rowBegin; row < rowEnd; row++)
        {
            DequantizeKernel.Scalar(weights.Type, weights.Data.Pointer + (row * weights.RowBytes), scratch, weights.Columns);
            for (int i = 0; i < inputs.Count; i++)
                y[((long)i * yStride) + row] = FloatDot.Scalar(scratch, x.Values + ((long)inputs[i] * x.Stride), weights.Columns);
        }
    }

    internal static void Vector<TLanes>(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
        where TLanes : struct, ILanes<TLanes>
    {
        if (inputs.Count == 1 && weights.Type == ElementType.F16)
            AsStored<TLanes, HalfElement>(weights, rowBegin, rowEnd, x, inputs, y, yStride);
        else if (inputs.Count == 1 && weights.Type == ElementType.BF16)
            AsStored<TLanes, BrainElement>(weights, rowBegin, rowEnd, x, inputs, y, yStride);
        else if (inputs.Count == 1 && weights.Type == ElementType.F8_E4M3)
            AsStored<TLanes, E4M3Element>(weights, rowBegin, rowEnd, x, inputs, y, yStride);
        else if (inputs.Count == 1 && weights.Type == ElementType.F8_E5M2)
            AsStored<TLanes, E5M2Element>(weights, rowBegin, rowEnd, x, inputs, y, yStride);
        else if (weights.Type == ElementType.F32)
            AsStored<TLanes, SingleElement>(weights, rowBegin, rowEnd, x, inputs, y, yStride);
        else
            Widened<TLanes>(weights, rowBegin, rowEnd, x, inputs, y, yStride);
    }

    /// <summary>Four weight rows at a time, read where they lie. Past the end the last row stands in, and its results are dropped.</summary>
    private static void AsStored<TLanes, TElement>(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        float* sums = Scratch.Floats((long)inputs.Count * FourSums<TLanes>.Floats);
        byte* data = weights.Data.Pointer;
        long bytes = weights.RowBytes;
        for (int row = rowBegin; row < rowEnd; row += Rows)
        {
            int last = rowEnd - 1;
            Tile<TLanes, TElement>(
                data + (row * bytes),
                data + (Math.Min(row + 1, last) * bytes),
                data + (Math.Min(row + 2, last) * bytes),
                data + (Math.Min(row + 3, last) * bytes),
                Math.Min(Rows, rowEnd - row),
                x,
                inputs,
                y + row,
                yStride,
                sums);
        }
    }

    /// <summary>Four weight rows at a time, made floats once and then met by every input row.</summary>
    private static void Widened<TLanes>(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
        where TLanes : struct, ILanes<TLanes>
    {
        int columns = weights.Columns;
        long stride = (columns + FloatDot.Lanes - 1) / FloatDot.Lanes * FloatDot.Lanes;
        float* scratch = Scratch.Floats((Rows * stride) + ((long)inputs.Count * FourSums<TLanes>.Floats));
        for (int row = rowBegin; row < rowEnd; row += Rows)
        {
            int rows = Math.Min(Rows, rowEnd - row);
            for (int r = 0; r < rows; r++)
            {
                DequantizeKernel.Vector<TLanes>(
                    weights.Type, weights.Data.Pointer + ((row + r) * weights.RowBytes), scratch + (r * stride), columns);
            }

            // Rows past the end hold floats of the tile before; their results are dropped.
            Tile<TLanes, SingleElement>(
                (byte*)scratch,
                (byte*)(scratch + stride),
                (byte*)(scratch + (2 * stride)),
                (byte*)(scratch + (3 * stride)),
                rows,
                x,
                inputs,
                y + row,
                yStride,
                scratch + (Rows * stride));
        }
    }

    /// <summary>
    /// Four weight rows × all input rows, a span of columns at a time so that the weights stay in the first cache; the partial sums
    /// wait in <paramref name="sums"/> <c>[inputs, 4, 16]</c> meanwhile.
    /// </summary>
    internal static void Tile<TLanes, TElement>(
        byte* row0, byte* row1, byte* row2, byte* row3, int rows, in Activations x, InputRows inputs, float* y, int yStride, float* sums)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        int columns = x.Columns;
        int span = inputs.Count < Inputs ? columns : Math.Min(columns, ColumnSpan);
        for (int begin = 0; begin < columns; begin += span)
        {
            int count = Math.Min(span, columns - begin);
            bool isFirst = begin == 0;
            bool isLast = begin + count == columns;
            nint offset = (nint)begin * TElement.Bytes;
            byte* w0 = row0 + offset;
            byte* w1 = row1 + offset;
            byte* w2 = row2 + offset;
            byte* w3 = row3 + offset;
            float* values = x.Values + begin;
            int i = 0;
            for (; TLanes.HasManyRegisters && i <= inputs.Count - Inputs; i += Inputs)
            {
                float* waiting = sums + ((long)i * FourSums<TLanes>.Floats);
                if (isFirst)
                    new Span<float>(waiting, Inputs * FourSums<TLanes>.Floats).Clear();
                float* x0 = values + ((long)inputs[i] * x.Stride);
                float* x1 = values + ((long)inputs[i + 1] * x.Stride);
                float* x2 = values + ((long)inputs[i + 2] * x.Stride);
                float* x3 = values + ((long)inputs[i + 3] * x.Stride);
                int whole = Sixteen<TLanes, TElement>(w0, w1, w2, w3, x0, x1, x2, x3, count, waiting);
                if (whole < count)
                {
                    AddRest<TLanes, TElement>(w0, w1, w2, w3, x0, whole, count, waiting);
                    AddRest<TLanes, TElement>(w0, w1, w2, w3, x1, whole, count, waiting + FourSums<TLanes>.Floats);
                    AddRest<TLanes, TElement>(w0, w1, w2, w3, x2, whole, count, waiting + (2 * FourSums<TLanes>.Floats));
                    AddRest<TLanes, TElement>(w0, w1, w2, w3, x3, whole, count, waiting + (3 * FourSums<TLanes>.Floats));
                }

                if (isLast)
                    PutSums<TLanes>(waiting, Inputs, y + ((long)i * yStride), yStride, rows);
            }

            for (; i < inputs.Count; i++)
            {
                float* waiting = sums + ((long)i * FourSums<TLanes>.Floats);
                if (isFirst)
                    new Span<float>(waiting, FourSums<TLanes>.Floats).Clear();
                float* input = values + ((long)inputs[i] * x.Stride);
                int whole = Four<TLanes, TElement>(w0, w1, w2, w3, input, count, waiting);
                if (whole < count)
                    AddRest<TLanes, TElement>(w0, w1, w2, w3, input, whole, count, waiting);
                if (isLast)
                    PutSums<TLanes>(waiting, 1, y + ((long)i * yStride), yStride, rows);
            }
        }
    }

    /// <summary>The dot products of some inputs. Not inlined: what calls it leaves the compiler no room to inline the trees.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void PutSums<TLanes>(float* waiting, int inputs, float* y, int yStride, int rows)
        where TLanes : struct, ILanes<TLanes>
    {
        for (int input = 0; input < inputs; input++, waiting += FourSums<TLanes>.Floats, y += yStride)
        {
            Vector128<float> four = FourSums<TLanes>.Tree(waiting);
            if (rows == Rows)
            {
                four.Store(y);
                continue;
            }

            for (int r = 0; r < rows; r++)
                y[r] = four.GetElement(r);
        }
    }

    private static int Four<TLanes, TElement>(byte* row0, byte* row1, byte* row2, byte* row3, float* x, int count, float* waiting)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        FourSums<TLanes> sums = FourSums<TLanes>.Load(waiting);
        int whole = sums.AddWhole<TElement>(row0, row1, row2, row3, x, count);
        sums.Store(waiting);
        return whole;
    }

    private static void AddRest<TLanes, TElement>(
        byte* row0, byte* row1, byte* row2, byte* row3, float* x, int whole, int count, float* waiting)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement =>
        FourSums<TLanes>.AddRest<TElement>(FourSums<TLanes>.Load(waiting), row0, row1, row2, row3, x, whole, count).Store(waiting);

    /// <summary>Four weight rows × four input rows: sixteen sums, eight loads for sixteen fused multiply-adds.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Sixteen<TLanes, TElement>(
        byte* row0, byte* row1, byte* row2, byte* row3, float* x0, float* x1, float* x2, float* x3, int count, float* waiting)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        FourSums<TLanes> sums0 = FourSums<TLanes>.Load(waiting);
        FourSums<TLanes> sums1 = FourSums<TLanes>.Load(waiting + FourSums<TLanes>.Floats);
        FourSums<TLanes> sums2 = FourSums<TLanes>.Load(waiting + (2 * FourSums<TLanes>.Floats));
        FourSums<TLanes> sums3 = FourSums<TLanes>.Load(waiting + (3 * FourSums<TLanes>.Floats));
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
        {
            nint offset = (nint)i * TElement.Bytes;
            TLanes w0 = TElement.Load<TLanes>(row0 + offset);
            TLanes w1 = TElement.Load<TLanes>(row1 + offset);
            TLanes w2 = TElement.Load<TLanes>(row2 + offset);
            TLanes w3 = TElement.Load<TLanes>(row3 + offset);
            sums0.Add(w0, w1, w2, w3, TLanes.Load(x0 + i));
            sums1.Add(w0, w1, w2, w3, TLanes.Load(x1 + i));
            sums2.Add(w0, w1, w2, w3, TLanes.Load(x2 + i));
            sums3.Add(w0, w1, w2, w3, TLanes.Load(x3 + i));
        }

        sums0.Store(waiting);
        sums1.Store(waiting + FourSums<TLanes>.Floats);
        sums2.Store(waiting + (2 * FourSums<TLanes>.Floats));
        sums3.Store(waiting + (3 * FourSums<TLanes>.Floats));
        return i;
    }
}
