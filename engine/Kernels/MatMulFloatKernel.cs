using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>Weights × float activations: y[i, r] = weight row r · input row i.</summary>
internal static unsafe class MatMulFloatKernel
{
    private const int Rows = 4;
    private const int Inputs = 4;

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
                yStride);
        }
    }

    /// <summary>Four weight rows at a time, made floats once and then met by every input row.</summary>
    private static void Widened<TLanes>(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
        where TLanes : struct, ILanes<TLanes>
    {
        int columns = weights.Columns;
        int stride = (columns + FloatDot.Lanes - 1) / FloatDot.Lanes * FloatDot.Lanes;
        float* scratch = Scratch.Floats((long)Rows * stride);
        for (int row = rowBegin; row < rowEnd; row += Rows)
        {
            int rows = Math.Min(Rows, rowEnd - row);
            for (int r = 0; r < rows; r++)
                DequantizeKernel.Vector<TLanes>(weights.Type, weights.Data.Pointer + ((row + r) * weights.RowBytes), scratch + ((long)r * stride), columns);

            // Rows past the end hold floats of the tile before; their results are dropped.
            Tile<TLanes, SingleElement>(
                (byte*)scratch,
                (byte*)(scratch + stride),
                (byte*)(scratch + (2L * stride)),
                (byte*)(scratch + (3L * stride)),
                rows,
                x,
                inputs,
                y + row,
                yStride);
        }
    }

    private static void Tile<TLanes, TElement>(
        byte* row0, byte* row1, byte* row2, byte* row3, int rows, in Activations x, InputRows inputs, float* y, int yStride)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        int i = 0;
        if (TLanes.HasManyRegisters)
        {
            Vector128<float>* four = stackalloc Vector128<float>[Inputs];
            for (; i <= inputs.Count - Inputs; i += Inputs)
            {
                Sixteen<TLanes, TElement>(
                    row0,
                    row1,
                    row2,
                    row3,
                    x.Values + ((long)inputs[i] * x.Stride),
                    x.Values + ((long)inputs[i + 1] * x.Stride),
                    x.Values + ((long)inputs[i + 2] * x.Stride),
                    x.Values + ((long)inputs[i + 3] * x.Stride),
                    x.Columns,
                    four);
                for (int input = 0; input < Inputs; input++)
                    Put(four[input], y + ((long)(i + input) * yStride), rows);
            }
        }

        for (; i < inputs.Count; i++)
        {
            float* input = x.Values + ((long)inputs[i] * x.Stride);
            Put(FloatDot.Vector4<TLanes, TElement>(row0, row1, row2, row3, input, x.Columns), y + ((long)i * yStride), rows);
        }
    }

    private static void Put(Vector128<float> four, float* y, int rows)
    {
        if (rows == Rows)
        {
            four.Store(y);
            return;
        }

        for (int r = 0; r < rows; r++)
            y[r] = four.GetElement(r);
    }

    /// <summary>Four weight rows × four input rows: sixteen sums, eight loads for sixteen fused multiply-adds.</summary>
    private static void Sixteen<TLanes, TElement>(
        byte* row0, byte* row1, byte* row2, byte* row3, float* x0, float* x1, float* x2, float* x3, int count, Vector128<float>* results)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        TLanes sums00 = TLanes.Broadcast(0), sums01 = sums00, sums02 = sums00, sums03 = sums00;
        TLanes sums10 = sums00, sums11 = sums00, sums12 = sums00, sums13 = sums00;
        TLanes sums20 = sums00, sums21 = sums00, sums22 = sums00, sums23 = sums00;
        TLanes sums30 = sums00, sums31 = sums00, sums32 = sums00, sums33 = sums00;
        TLanes w0, w1, w2, w3, v;
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
        {
            nint offset = (nint)i * TElement.Bytes;
            w0 = TElement.Load<TLanes>(row0 + offset);
            w1 = TElement.Load<TLanes>(row1 + offset);
            w2 = TElement.Load<TLanes>(row2 + offset);
            w3 = TElement.Load<TLanes>(row3 + offset);

            v = TLanes.Load(x0 + i);
            sums00 = TLanes.FusedMultiplyAdd(w0, v, sums00);
            sums01 = TLanes.FusedMultiplyAdd(w1, v, sums01);
            sums02 = TLanes.FusedMultiplyAdd(w2, v, sums02);
            sums03 = TLanes.FusedMultiplyAdd(w3, v, sums03);

            v = TLanes.Load(x1 + i);
            sums10 = TLanes.FusedMultiplyAdd(w0, v, sums10);
            sums11 = TLanes.FusedMultiplyAdd(w1, v, sums11);
            sums12 = TLanes.FusedMultiplyAdd(w2, v, sums12);
            sums13 = TLanes.FusedMultiplyAdd(w3, v, sums13);

            v = TLanes.Load(x2 + i);
            sums20 = TLanes.FusedMultiplyAdd(w0, v, sums20);
            sums21 = TLanes.FusedMultiplyAdd(w1, v, sums21);
            sums22 = TLanes.FusedMultiplyAdd(w2, v, sums22);
            sums23 = TLanes.FusedMultiplyAdd(w3, v, sums23);

            v = TLanes.Load(x3 + i);
            sums30 = TLanes.FusedMultiplyAdd(w0, v, sums30);
            sums31 = TLanes.FusedMultiplyAdd(w1, v, sums31);
            sums32 = TLanes.FusedMultiplyAdd(w2, v, sums32);
            sums33 = TLanes.FusedMultiplyAdd(w3, v, sums33);
        }

        if (i < count)
        {
            int rest = count - i;
            nint offset = (nint)i * TElement.Bytes;
            w0 = Part.Load<TLanes, TElement>(row0 + offset, rest, -0f);
            w1 = Part.Load<TLanes, TElement>(row1 + offset, rest, -0f);
            w2 = Part.Load<TLanes, TElement>(row2 + offset, rest, -0f);
            w3 = Part.Load<TLanes, TElement>(row3 + offset, rest, -0f);

            v = Part.Load<TLanes, SingleElement>((byte*)(x0 + i), rest, 0);
            sums00 = TLanes.FusedMultiplyAdd(w0, v, sums00);
            sums01 = TLanes.FusedMultiplyAdd(w1, v, sums01);
            sums02 = TLanes.FusedMultiplyAdd(w2, v, sums02);
            sums03 = TLanes.FusedMultiplyAdd(w3, v, sums03);

            v = Part.Load<TLanes, SingleElement>((byte*)(x1 + i), rest, 0);
            sums10 = TLanes.FusedMultiplyAdd(w0, v, sums10);
            sums11 = TLanes.FusedMultiplyAdd(w1, v, sums11);
            sums12 = TLanes.FusedMultiplyAdd(w2, v, sums12);
            sums13 = TLanes.FusedMultiplyAdd(w3, v, sums13);

            v = Part.Load<TLanes, SingleElement>((byte*)(x2 + i), rest, 0);
            sums20 = TLanes.FusedMultiplyAdd(w0, v, sums20);
            sums21 = TLanes.FusedMultiplyAdd(w1, v, sums21);
            sums22 = TLanes.FusedMultiplyAdd(w2, v, sums22);
            sums23 = TLanes.FusedMultiplyAdd(w3, v, sums23);

            v = Part.Load<TLanes, SingleElement>((byte*)(x3 + i), rest, 0);
            sums30 = TLanes.FusedMultiplyAdd(w0, v, sums30);
            sums31 = TLanes.FusedMultiplyAdd(w1, v, sums31);
            sums32 = TLanes.FusedMultiplyAdd(w2, v, sums32);
            sums33 = TLanes.FusedMultiplyAdd(w3, v, sums33);
        }

        results[0] = TLanes.Sum4(sums00, sums01, sums02, sums03);
        results[1] = TLanes.Sum4(sums10, sums11, sums12, sums13);
        results[2] = TLanes.Sum4(sums20, sums21, sums22, sums23);
        results[3] = TLanes.Sum4(sums30, sums31, sums32, sums33);
    }
}
