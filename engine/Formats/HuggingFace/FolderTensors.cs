using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>
/// Turns the tensors of a folder into the model's: names by the architecture's table, weights as they lie where the engine can
/// compute with them, otherwise rearranged without loss.
/// </summary>
/// <remarks>
/// A weight may be stored as <c>weight</c>, of FP8 with <c>weight_scale_inv</c>; <c>qweight</c> with <c>qzeros</c>, <c>scales</c> and
/// <c>g_idx</c>; and, by the architecture's table, <c>columns</c>, transposed; <c>row</c>, a vector stored as a matrix of one row;
/// <c>less_one</c>, with 1 subtracted; <c>mxfp4_blocks</c> with <c>mxfp4_scales</c>.
/// </remarks>
/// <param name="architecture">Where tensors go.</param>
/// <param name="config">The decoder's configuration.</param>
/// <param name="quantization">How weights are quantised.</param>
/// <param name="memory">Takes what is rearranged, and dies with the file.</param>
internal sealed class FolderTensors(Architecture architecture, JsonFile config, QuantizationConfig quantization, List<IDisposable> memory)
{
    private readonly OrderedDictionary<string, Module> _modules = [];

    /// <summary>A module's tensors, by parameter; of experts stored one by one, each expert's.</summary>
    private sealed record Module(string Name, SortedDictionary<int, Dictionary<string, SafetensorsTensor>> Experts, bool IsStack);

    /// <summary>All tensors of the model.</summary>
    /// <exception cref="ModelFormatException">A tensor has no place, lacks its companions, or is of an unusable type.</exception>
    internal List<Tensor> Read(IEnumerable<SafetensorsTensor> stored)
    {
        long layers = config.Integer("num_hidden_layers");
        long predictors = config.FindInteger("num_nextn_predict_layers") ?? 0;
        foreach (SafetensorsTensor tensor in stored)
        {
            if (architecture.DecoderName(tensor.Name) is not { } name)
                continue;
            TensorNames.Place? found = architecture.Tensors.Find(name);

            // Layers that predict further tokens serve speculation and hold modules of their own, which not every table has.
            if (TensorNames.LayerOf(name) is { } layer && layer >= layers && layer - layers < predictors
                && (!architecture.HasPredictors || found is null))
                continue;
            TensorNames.Place place = found ?? throw new ModelFormatException(
                $"{tensor.Place} has no place in the architecture '{architecture.Family}' as Pure knows it; running without it would give wrong results.");
            if (!place.IsLeftOut)
                Add(place, tensor);
        }

        TieEmbeddings();
        var tensors = new List<Tensor>();
        foreach (Module module in _modules.Values)
            Assemble(module, tensors);
        return tensors;
    }

    private void Add(TensorNames.Place place, SafetensorsTensor tensor)
    {
        if (!_modules.TryGetValue(place.Module, out Module? module))
            _modules.Add(place.Module, module = new Module(place.Module, [], place.Expert is not null));
        int expert = place.Expert ?? 0;
        if (!module.Experts.TryGetValue(expert, out var parameters))
            module.Experts.Add(expert, parameters = []);
        if (!parameters.TryAdd(place.Parameter, tensor))
        {
            throw new ModelFormatException(
                $"{tensor.Place} is the same weight as {parameters[place.Parameter].Place}; the folder holds two models: download it again into an empty one.");
        }
    }

    /// <summary>With tied embeddings either of the two may be stored, or both; where a file says that they are not, both must be.</summary>
    private void TieEmbeddings()
    {
        const string Embedding = "token_embd";
        const string Head = "output";
        bool? tied = config.FindFlag("tie_word_embeddings");
        if (tied == true && _modules.Remove(Head, out Module? head) && !_modules.ContainsKey(Embedding))
            _modules.Add(Embedding, head with { Name = Embedding });
        if (tied == false && !_modules.ContainsKey(Head))
        {
            throw new ModelFormatException(
                $"{config.File}: 'tie_word_embeddings' is false and the folder has no tensor 'lm_head.weight'; download it again.");
        }
    }

    private void Assemble(Module module, List<Tensor> tensors)
    {
        if (module.IsStack && module.Experts.Keys.Last() != module.Experts.Count - 1)
        {
            int missing = Enumerable.Range(0, module.Experts.Count).First(expert => !module.Experts.ContainsKey(expert));
            SafetensorsTensor some = module.Experts.Values.First().Values.First();
            throw new ModelFormatException($"{some.Place} has no counterpart for expert {missing}; the folder is incomplete: download it again.");
        }

        bool alternate = module.Name.Contains(" & ", StringComparison.Ordinal);
        string[] names = module.Name.Split(alternate ? " & " : " | ");
        List<Dictionary<string, StoredMatrix>> experts = [.. module.Experts.Values.Select(Prepare)];
        foreach (string parameter in experts[0].Keys)
        {
            StoredMatrix first = experts[0][parameter];
            foreach (Dictionary<string, StoredMatrix> expert in experts)
            {
                if (expert.Count != experts[0].Count || !expert.TryGetValue(parameter, out StoredMatrix? other) || other.Type != first.Type || !other.Shape.SequenceEqual(first.Shape))
                {
                    throw new ModelFormatException(
                        $"{first.File}: the experts of {FileText.Quote(module.Name)} are not all {first.Type} of shape [{string.Join(", ", first.Shape)}]; " +
                        "the folder is damaged: download it again.");
                }
            }

            List<StoredMatrix> parts = [.. experts.Select(expert => expert[parameter])];
            for (int half = 0; half < names.Length; half++)
            {
                StoredMatrix[] halves = [.. parts.Select(part => names.Length == 1 ? part : Layouts.Half(part, parameter == "bias", half, alternate, memory))];
                tensors.Add(Join($"{names[half]}.{parameter}", module.IsStack, halves));
            }
        }
    }

    private static Tensor Join(string name, bool isStack, StoredMatrix[] parts)
    {
        long[] shape = isStack ? [parts.Length, .. parts[0].Shape] : parts[0].Shape;
        return new Tensor(name, parts[0].Type, shape, [.. parts.SelectMany(part => part.Pieces)], parts[0].File)
        {
            ColumnOrders = Array.TrueForAll(parts, part => part.ColumnOrder is null) ? null : [.. parts.Select(part => part.ColumnOrder)],
        };
    }

    /// <summary>One module's (or one expert's) parameters in the model's form.</summary>
    private Dictionary<string, StoredMatrix> Prepare(Dictionary<string, SafetensorsTensor> parameters)
    {
        var prepared = new Dictionary<string, StoredMatrix>();
        foreach ((string name, SafetensorsTensor tensor) in parameters)
        {
            StoredMatrix? weight = null;
            switch (name)
            {
                case "weight":
                    weight = parameters.TryGetValue("weight_scale_inv", out SafetensorsTensor? scales)
                        ? BlockScaledFloats.Read(tensor, scales, Require(QuantizationMethod.Fp8, scales), memory)
                        : Unscaled(tensor);
                    break;
                case "qweight":
                    weight = PackedIntegers.Read(parameters, RequireIntegers(tensor), memory);
                    break;
                case "mxfp4_blocks" when parameters.TryGetValue("mxfp4_scales", out SafetensorsTensor? exponents):
                    weight = MicroscaledFloats.Read(tensor, exponents, memory);
                    break;
                case "columns":
                    weight = Layouts.Transpose(Plain(tensor), memory);
                    break;
                case "row":
                    weight = Layouts.Row(Plain(tensor));
                    break;
                case "less_one":
                    weight = Layouts.AddOne(Plain(tensor), memory);
                    break;
                case "bias":
                    prepared.Add("bias", Plain(tensor));
                    break;
                case "weight_scale_inv" when parameters.ContainsKey("weight"):
                case "qzeros" or "scales" or "g_idx" when parameters.ContainsKey("qweight"):
                case "mxfp4_scales" when parameters.ContainsKey("mxfp4_blocks"):
                    break;
                default:
                    throw new ModelFormatException(
                        $"{tensor.Place} is no parameter that Pure knows, or lacks the weights that it belongs to; running without it would give wrong results.");
            }

            if (weight is not null && !prepared.TryAdd("weight", weight))
                throw new ModelFormatException($"{tensor.Place} and another tensor hold the same weight; the folder was written wrongly: download it again.");
        }

        return prepared;
    }

    private QuantizationConfig RequireIntegers(SafetensorsTensor tensor) =>
        Require(quantization.Method == QuantizationMethod.Awq ? QuantizationMethod.Awq : QuantizationMethod.Gptq, tensor);

    private QuantizationConfig Require(QuantizationMethod method, SafetensorsTensor tensor) => quantization.Method == method
        ? quantization
        : throw new ModelFormatException(
            $"{tensor.Place} is quantised, and {config.File} says nothing of it under 'quantization_config'; the files do not belong together: download them again.");

    /// <summary>A weight on its own; where a folder says that it has scales, an 8-bit one may not lack them.</summary>
    private StoredMatrix Unscaled(SafetensorsTensor tensor) =>
        tensor.Type is SafetensorsType.F8_E4M3 or SafetensorsType.F8_E5M2 && quantization.Method == QuantizationMethod.Fp8
            ? throw new ModelFormatException($"{tensor.Place} has no weight_scale_inv beside it; the folder is incomplete: download it again.")
            : Plain(tensor);

    private static StoredMatrix Plain(SafetensorsTensor tensor)
    {
        ElementType type = tensor.Type switch
        {
            SafetensorsType.F32 => ElementType.F32,
            SafetensorsType.F16 => ElementType.F16,
            SafetensorsType.BF16 => ElementType.BF16,
            SafetensorsType.F8_E4M3 => ElementType.F8_E4M3,
            SafetensorsType.F8_E5M2 => ElementType.F8_E5M2,
            _ => throw new ModelFormatException(
                $"{tensor.Place} is {tensor.Type}, expected a float of up to 32 bits; the folder is damaged, or quantised in a way that Pure does not know."),
        };
        if (tensor.Shape.Count == 0 || tensor.Shape.Contains(0))
            throw new ModelFormatException($"{tensor.Place} has shape {tensor.Sizes}, expected numbers in it; the folder is damaged: download it again.");
        return new StoredMatrix(type, [.. tensor.Shape], [tensor.Data], tensor.File);
    }
}
