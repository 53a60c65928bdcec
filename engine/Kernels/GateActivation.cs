namespace Pure.Engine.Kernels;

/// <summary>What the gate of a gated feed-forward network passes through.</summary>
internal enum GateActivation
{
    /// <summary>x · sigmoid(x).</summary>
    Silu,

    /// <summary>The Gaussian error linear unit in its tanh form.</summary>
    Gelu,

    /// <summary>gpt-oss: gate and up are clamped, the sigmoid is steeper, and 1 is added to up.</summary>
    ClampedSilu,
}
