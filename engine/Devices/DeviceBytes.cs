namespace Pure.Engine.Devices;

/// <summary>What a branch or a head takes of a device's memory, in bytes.</summary>
/// <param name="Weights">Its matrices.</param>
/// <param name="Cache">Keys and values of its layer, in as many blocks as <see cref="DeviceModel.Blocks"/> says.</param>
/// <param name="Buffers">Room for intermediates; what several branches name alike there is once for all of them.</param>
internal sealed record DeviceBytes(long Weights, long Cache, params IReadOnlyList<DeviceBuffers> Buffers);

/// <summary>Buffers of a device that branches share.</summary>
/// <param name="Name">What they are for.</param>
/// <param name="Bytes">Their bytes.</param>
internal readonly record struct DeviceBuffers(string Name, long Bytes);
