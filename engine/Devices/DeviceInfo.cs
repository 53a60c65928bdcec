namespace Pure.Engine.Devices;

/// <summary>A device that a model can be run on.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Description">What it is.</param>
/// <param name="TotalBytes">Its memory.</param>
/// <param name="FreeBytes">What is free of it.</param>
public sealed record DeviceInfo(string Name, string Description, long TotalBytes, long FreeBytes);
