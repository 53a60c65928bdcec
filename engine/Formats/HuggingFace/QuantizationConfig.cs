namespace Pure.Engine.Formats.HuggingFace;

/// <summary>How the weights are quantised.</summary>
internal enum QuantizationMethod
{
    /// <summary>They are not.</summary>
    None,

    /// <summary>8-bit floats with a scale per block.</summary>
    Fp8,

    /// <summary>4-bit integers, packed along the outputs (Lin et al. 2023, arXiv:2306.00978).</summary>
    Awq,

    /// <summary>4-bit integers, packed along the inputs (Frantar et al. 2022, arXiv:2210.17323).</summary>
    Gptq,

    /// <summary>4-bit floats in blocks of 32 (OCP Microscaling).</summary>
    Mxfp4,
}

/// <summary>What <c>quantization_config</c> says.</summary>
/// <param name="Method">How weights are quantised.</param>
/// <param name="BlockSize">Rows and columns that share a scale, for FP8.</param>
/// <param name="GroupSize">Inputs that share a scale, for integers; -1 for all.</param>
/// <param name="IsSymmetric">Whether zero is always in the middle, for integers.</param>
/// <param name="ZeroOffset">What is added to a stored zero, for integers.</param>
internal sealed record QuantizationConfig(
    QuantizationMethod Method, (long Rows, long Columns) BlockSize, long GroupSize, bool IsSymmetric, int ZeroOffset)
{
    private static readonly QuantizationConfig None = new(QuantizationMethod.None, (1, 1), -1, false, 0);

    /// <exception cref="ModelFormatException">The method, or a variant of it, is not supported.</exception>
    internal static QuantizationConfig Of(JsonFile config)
    {
        if (config.FindObject("quantization_config") is not { } quantization)
            return None;
        return quantization.FindText("quant_method") switch
        {
            "fp8" => None with { Method = QuantizationMethod.Fp8, BlockSize = ReadBlockSize(quantization) },
            "awq" => ReadAwq(quantization),
            "gptq" => ReadGptq(quantization),
            "mxfp4" => None with { Method = QuantizationMethod.Mxfp4 },
            var other => throw quantization.Wrong("quant_method", FileText.Quote(other ?? "null"), "fp8, awq, gptq or mxfp4"),
        };
    }

    private static (long Rows, long Columns) ReadBlockSize(JsonFile quantization)
    {
        long[]? size = quantization.FindIntegers("weight_block_size");
        return size is [> 0, > 0]
            ? (size[0], size[1])
            : throw quantization.Wrong("weight_block_size", size is null ? "missing" : $"[{string.Join(", ", size)}]", "two numbers above 0");
    }

    private static QuantizationConfig ReadAwq(JsonFile quantization)
    {
        RequireFourBits(quantization);
        if (quantization.FindText("version") is { } version && !version.Equals("gemm", StringComparison.OrdinalIgnoreCase))
            throw quantization.Wrong("version", FileText.Quote(version), "'gemm'");
        return None with { Method = QuantizationMethod.Awq, GroupSize = ReadGroupSize(quantization) };
    }

    private static QuantizationConfig ReadGptq(JsonFile quantization)
    {
        RequireFourBits(quantization);
        string format = quantization.FindText("checkpoint_format") ?? "gptq";
        return None with
        {
            Method = QuantizationMethod.Gptq,
            GroupSize = ReadGroupSize(quantization),
            IsSymmetric = quantization.FindFlag("sym") ?? false,
            ZeroOffset = format switch
            {
                "gptq" => 1, // zeros are stored less one
                "gptq_v2" => 0,
                _ => throw quantization.Wrong("checkpoint_format", FileText.Quote(format), "'gptq' or 'gptq_v2'"),
            },
        };
    }

    private static void RequireFourBits(JsonFile quantization)
    {
        if (quantization.Integer("bits") is var bits and not 4)
            throw quantization.Wrong("bits", bits, "4");
    }

    private static long ReadGroupSize(JsonFile quantization)
    {
        long size = quantization.Integer("group_size");
        return size is -1 or > 0 ? size : throw quantization.Wrong("group_size", size, "a number above 0, or -1");
    }
}
