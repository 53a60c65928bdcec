namespace Pure.Engine.Devices;

/// <summary>How much of a branch is on a device.</summary>
internal enum Placement
{
    /// <summary>All of it.</summary>
    Whole,

    /// <summary>
    /// All of a mixture but its routed experts, which stay in memory, or come to the device when a token needs them: what every token needs is there.
    /// </summary>
    Split,
}
