using Pure.Engine.Formats;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Models;

/// <summary>
/// Hands a family its hyper-parameters and weights: everything is checked for presence, shape and range here, and nowhere after.
/// Counts parameters on the way, and notices tensors that no one asked for.
/// </summary>
internal sealed class WeightReader
{
    // Sizes in metadata come before the tensors that prove them; beyond this they are damage, and products stay within an int.
    private const int LargestSize = 1 << 24;

    private readonly ModelFile _file;
    private readonly string _prefix;
    private readonly HashSet<string> _read = [];
    private readonly Dictionary<int, ActivationBuffer> _arranged = [];
    private readonly HashSet<Linear> _needed = [];

    internal WeightReader(ModelFile file, string architecture, Cpu cpu, ModelOptions options)
    {
        _file = file;
        _prefix = architecture + ".";
        Cpu = cpu;
        MaxRows = options.MaxBatchRows;
        Rope = options.Rope;
        ExpandsLatents = options.Mla == LatentForm.Expanded;
        Stream = options.MemoryLimit is null ? null : Own(new ExpertStream());
    }

    internal Cpu Cpu { get; }

    /// <summary>Most rows of a batch: what shared buffers are made for.</summary>
    internal int MaxRows { get; }

    /// <summary>What is to be changed of the file's rotary positions.</summary>
    internal RopeOptions Rope { get; }

    /// <summary>Whether prompts meet keys and values made from latents.</summary>
    internal bool ExpandsLatents { get; }

    /// <summary>What is to load experts on demand; null where all stay in memory.</summary>
    internal ExpertStream? Stream { get; }

    /// <summary>Bytes of memory that weights take which every token needs, beside those of the file: experts are not among them.</summary>
    /// <param name="elsewhere">Those that are not needed in memory.</param>
    internal long NeededBytes(IEnumerable<Linear> elsewhere) => _needed.Except(elsewhere).Sum(linear => linear.PreparedBytes);

    /// <summary>All matrices, in the order in which they were asked for.</summary>
    internal List<Linear> Linears { get; } = [];

    /// <summary>Things the model must dispose.</summary>
    internal List<IDisposable> Owned { get; } = [];

    /// <summary>All weights.</summary>
    internal long Parameters { get; private set; }

    /// <summary>Weights of experts that a token does not use.</summary>
    internal long IdleParameters { get; private set; }

    /// <summary>Bytes of all weights in the file.</summary>
    internal long Bytes { get; private set; }

    internal T Own<T>(T disposable)
        where T : IDisposable
    {
        Owned.Add(disposable);
        return disposable;
    }

    /// <summary>What <paramref name="read"/> reads, counted among the weights that no token needs.</summary>
    internal T Idle<T>(Func<T> read)
    {
        long active = Parameters - IdleParameters;
        T value = read();
        IdleParameters = Parameters - active;
        return value;
    }

    // Hyper-parameters, named without the architecture's prefix.
    internal int Size(string key) => Range(key, _file.Metadata.GetInteger(_prefix + key), 1);

    internal int Size(string key, int otherwise) =>
        _file.Metadata.FindInteger(_prefix + key) is { } value ? Range(key, value, 1) : otherwise;

    internal int Count(string key) => _file.Metadata.FindInteger(_prefix + key) is { } value ? Range(key, value, 0) : 0;

    internal float Number(string key) => Finite(key, _file.Metadata.GetNumber(_prefix + key));

    internal float Number(string key, float otherwise) =>
        _file.Metadata.FindNumber(_prefix + key) is { } value ? Finite(key, value) : otherwise;

    internal bool Flag(string key, bool otherwise = false) => _file.Metadata.FindBoolean(_prefix + key) ?? otherwise;

    internal string? Text(string key) => _file.Metadata.FindString(_prefix + key);

    internal bool Has(string tensor) => _file.TryGetTensor(tensor, out _);

    /// <summary>A size that is a product, such as heads · head size, blamed on one key if no machine could hold it.</summary>
    internal int Product(string key, long left, long right)
    {
        long product = left * right;
        return product <= LargestSize ? (int)product : throw Wrong(key, $"a number that gives rows of up to {LargestSize}", product / left);
    }

    /// <summary>An error about a hyper-parameter, in the usual form.</summary>
    internal ModelFormatException Wrong(string key, string expected, object found) =>
        new($"{_file.Path}: '{_prefix}{key}' is {found}, expected {expected}; the file's metadata is damaged or of an unknown variant.");

    /// <summary>A vector of floats <c>[size]</c>.</summary>
    internal float[] Vector(string name, int size) => Floats(Tensor(name, size));

    internal RmsNorm Norm(string name, int size, float epsilon) => new(Cpu, Vector(name, size), epsilon);

    /// <summary>The matrix <c>NAME.weight</c> <c>[rows, columns]</c>.</summary>
    /// <param name="name">Name without <c>.weight</c>.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="biased">Whether <c>NAME.bias</c> <c>[rows]</c> is added where the file has it.</param>
    internal Linear Linear(string name, int rows, int columns, bool biased = false)
    {
        Tensor tensor = Tensor(name + ".weight", rows, columns);
        return Need(Made(Matrix(tensor, rows, columns), biased ? Bias(name, rows) : default, OrderOf(tensor)));
    }

    /// <summary>The matrix <c>NAME.weight</c> <c>[rows, columns]</c> whose rows are also looked up one by one.</summary>
    internal Linear Lookup(string name, int rows, int columns) =>
        Made(Matrix(InOrder(Tensor(name + ".weight", rows, columns)), rows, columns), looksUp: true);

    /// <summary>The vector <c>NAME.weight</c> <c>[columns]</c> as a matrix of one row.</summary>
    internal Linear Row(string name, int columns) => Need(Made(Matrix(InOrder(Tensor(name + ".weight", columns)), 1, columns)));

    /// <summary>Counts a matrix among those that every token needs.</summary>
    internal Linear Need(Linear linear)
    {
        _needed.Add(linear);
        return linear;
    }

    /// <summary>The stack of matrices <c>NAME.weight</c> <c>[count, rows, columns]</c>, one per head.</summary>
    internal Linear[] Heads(string name, int count, int rows, int columns) =>
        Array.ConvertAll(Stack(Tensor(name + ".weight", count, rows, columns), count, rows, columns, bias: default), Need);

    /// <summary>
    /// The stack of matrices <c>NAME.weight</c> <c>[experts, rows, columns]</c>, of which a token uses some, with <c>NAME.bias</c>
    /// <c>[experts, rows]</c> where the file has it.
    /// </summary>
    internal Linear[] Experts(string name, RouterShape shape, int rows, int columns)
    {
        Tensor tensor = Tensor(name + ".weight", shape.Experts, rows, columns);
        IdleParameters += tensor.Count / shape.Experts * (shape.Experts - shape.Used);
        return Stack(tensor, shape.Experts, rows, columns, Bias(name, shape.Experts, rows));
    }

    /// <summary>
    /// The joint key and value up-projection of all heads, <c>[heads · (nope + value), latent]</c>, each head's key rows before its
    /// value rows. Key parts are transposed to <c>[latent, nope]</c>, so that they apply to the query, and besides stay as stored where
    /// latents are expanded; value parts stay as stored.
    /// </summary>
    internal (Linear[] KeyUp, Linear[] ValueUp, Linear[]? KeyExpand) KeyValueUp(string name, LatentShape shape)
    {
        int headRows = shape.NopeSize + shape.ValueSize;
        Tensor tensor = InOrder(Tensor(name + ".weight", shape.Heads * headRows, shape.LatentSize));
        WeightMatrix joint = Matrix(tensor, shape.Heads * headRows, shape.LatentSize);
        var keys = new WeightMatrix[shape.Heads];
        var values = new Linear[shape.Heads];
        for (int head = 0; head < shape.Heads; head++)
        {
            keys[head] = joint.Slice(head * headRows, shape.NopeSize);
            values[head] = Need(Made(joint.Slice((head * headRows) + shape.NopeSize, shape.ValueSize)));
        }

        return (Transposed(keys), values, ExpandsLatents ? Array.ConvertAll(keys, key => Need(Made(key))) : null);
    }

    /// <summary>Matrices, transposed.</summary>
    internal Linear[] Transposed(WeightMatrix[] matrices) => Array.ConvertAll(matrices, matrix => Transpose(matrix));

    /// <summary>xᵀ·W as a product with Wᵀ: at a byte per element where the type allows it, otherwise as floats.</summary>
    private Linear Transpose(in WeightMatrix matrix)
    {
        if (TransposedMatrix.Bytes(matrix) is > 0 and var bytes)
        {
            AlignedBuffer<byte> room = Own(new AlignedBuffer<byte>(bytes));
            if (TransposedMatrix.TryMake(matrix, room.View) is { } transposed)
                return Made(new Linear(Cpu, transposed));
        }

        AlignedBuffer<float> elements = Own(new AlignedBuffer<float>((long)matrix.Rows * matrix.Columns));
        var row = new float[matrix.Columns];
        Span<float> columns = elements.Span;
        for (int r = 0; r < matrix.Rows; r++)
        {
            Cpu.Kernels.DequantizeRow(matrix, r, row);
            for (int column = 0; column < row.Length; column++)
                columns[(column * matrix.Rows) + r] = row[column];
        }

        return Made(new WeightMatrix(ElementType.F32, elements.View, matrix.Columns, matrix.Rows));
    }

    /// <summary>Fails if the file holds a tensor that the family never asked for: leaving it out would change the results silently.</summary>
    /// <param name="ignored">Prefixes of tensors that are known and rightly left out.</param>
    internal void RefuseUnread(params ReadOnlySpan<string> ignored)
    {
        foreach (Tensor tensor in _file.Tensors)
        {
            if (_read.Contains(tensor.Name) || StartsWithAny(tensor.Name, ignored))
                continue;
            throw new ModelFormatException(
                $"{tensor.File}: tensor '{tensor.Name}' has no place in the architecture '{_prefix[..^1]}' as Pure knows it; " +
                "running without it would give wrong results.");
        }
    }

    private static bool StartsWithAny(string name, ReadOnlySpan<string> prefixes)
    {
        foreach (string prefix in prefixes)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private Tensor Tensor(string name, params ReadOnlySpan<long> shape)
    {
        if (!_file.TryGetTensor(name, out Tensor? tensor))
        {
            throw new ModelFormatException(
                $"{_file.Path}: tensor '{name}' is missing, expected shape {Describe(shape)}; the file is incomplete or of another architecture.");
        }

        if (!tensor.Shape.SequenceEqual(shape.ToArray()))
        {
            throw new ModelFormatException(
                $"{tensor.File}: tensor '{name}' has shape {Describe(tensor.Shape.ToArray())}, expected {Describe(shape)}; " +
                "the tensor and the file's metadata disagree.");
        }

        if (_read.Add(name))
        {
            Parameters += tensor.Count;
            Bytes += tensor.Bytes;
        }

        return tensor;
    }

    private Linear[] Stack(Tensor tensor, int count, int rows, int columns, ReadOnlyMemory<float> bias)
    {
        tensor = InOrder(tensor);
        bool apart = tensor.Parts.Count == count;
        long bytes = tensor.Bytes / count;
        var linears = new Linear[count];
        for (int index = 0; index < count; index++)
        {
            NativeView part = apart ? tensor.Parts[index] : tensor.Data.Slice(index * bytes, bytes);
            linears[index] = Made(
                new WeightMatrix(tensor.Type, part, rows, columns), bias.IsEmpty ? default : bias.Slice(index * rows, rows));
        }

        return linears;
    }

    private Linear Made(WeightMatrix weights, ReadOnlyMemory<float> bias = default, InputOrder? order = null, bool looksUp = false) =>
        Made(new Linear(Cpu, weights, bias, order) { LooksUp = looksUp });

    private Linear Made(Linear linear)
    {
        Linears.Add(linear);
        return linear;
    }

    private InputOrder? OrderOf(Tensor tensor)
    {
        if (tensor.ColumnOrders is not [{ } inputOf])
            return null;
        if (!_arranged.TryGetValue(inputOf.Length, out ActivationBuffer? arranged))
            _arranged.Add(inputOf.Length, arranged = Own(new ActivationBuffer(MaxRows, inputOf.Length)));
        return new InputOrder(inputOf, arranged);
    }

    /// <summary>
    /// The tensor with its columns in the order of the inputs, widened to F32 where they were not: for matrices whose inputs are no rows
    /// that one <see cref="InputOrder"/> could arrange.
    /// </summary>
    private Tensor InOrder(Tensor tensor)
    {
        if (tensor.ColumnOrders is not { } orders)
            return tensor;
        var stored = new float[tensor.Shape[^1]];
        long rows = tensor.Count / stored.Length / orders.Count;
        int rowBytes = checked((int)ElementFormat.Of(tensor.Type).RowBytes(stored.Length));
        var widened = Own(new AlignedBuffer<float>(tensor.Count));
        var parts = new NativeView[orders.Count];
        for (int part = 0; part < parts.Length; part++)
        {
            for (long row = 0; row < rows; row++)
            {
                ElementFormat.Of(tensor.Type).Dequantize(tensor.Parts[part].Slice(row * rowBytes, rowBytes), stored);
                Span<float> target = widened.Writable(((part * rows) + row) * stored.Length, stored.Length);
                for (int column = 0; column < stored.Length; column++)
                    target[orders[part] is { } inputOf ? inputOf[column] : column] = stored[column];
            }

            parts[part] = widened.View.Slice(part * rows * stored.Length * sizeof(float), rows * stored.Length * sizeof(float));
        }

        return tensor with { Type = ElementType.F32, Parts = parts, ColumnOrders = null };
    }

    private ReadOnlyMemory<float> Bias(string name, params ReadOnlySpan<long> shape) =>
        Has(name + ".bias") ? Floats(Tensor(name + ".bias", shape)) : default(ReadOnlyMemory<float>);

    private static float[] Floats(Tensor tensor)
    {
        if (tensor.Type is not (ElementType.F32 or ElementType.F16 or ElementType.BF16))
        {
            throw new ModelFormatException(
                $"{tensor.File}: tensor '{tensor.Name}' is {tensor.Type}, expected F32, F16 or BF16; convert the file again.");
        }

        var values = new float[tensor.Count];
        int each = values.Length / tensor.Parts.Count;
        for (int part = 0; part < tensor.Parts.Count; part++)
            ElementFormat.Of(tensor.Type).Dequantize(tensor.Parts[part], values.AsSpan(part * each, each));
        return values;
    }

    private static WeightMatrix Matrix(Tensor tensor, int rows, int columns) => new(tensor.Type, tensor.Data, rows, columns);

    private static string Describe(ReadOnlySpan<long> shape) => $"[{string.Join(", ", shape.ToArray())}]";

    private int Range(string key, long value, int least)
    {
        return value >= least && value <= LargestSize ? (int)value : throw Wrong(key, $"a number from {least} to {LargestSize}", value);
    }

    private float Finite(string key, double value) =>
        double.IsFinite(value) ? (float)value : throw Wrong(key, "a finite number", value);
}
