namespace Pure.Engine.Devices;

/// <summary>How much of a branch is on a device.</summary>
internal enum Placement
{
    /// <summary>All of it.</summary>
    Whole,

    /// <summary>
    /// The norm and the shared experts of a mixture. The processor computes the routed ones in memory, while the device computes those.
    /// </summary>
    Split,

    /// <summary>All of a mixture but its routed experts: these are in memory, and the device is brought those that it needs and keeps some.</summary>
    Cached,
}
