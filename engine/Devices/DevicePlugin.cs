using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Loader;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Devices;

/// <summary>What a plugin implements: the devices it brings.</summary>
internal interface IDevicePlugin
{
    /// <summary>The devices of this machine that it can use.</summary>
    /// <exception cref="DeviceException">A driver is missing or too old.</exception>
    IReadOnlyList<DeviceInfo> List();

    /// <summary>Opens a device for a model.</summary>
    /// <exception cref="DeviceException">There is no such device, or it fails.</exception>
    IDevice Open(string name, DeviceModel model);
}

/// <summary>What a device must know of a model before it is handed the parts.</summary>
/// <param name="MaxRows">Most rows of a batch.</param>
/// <param name="Embedding">Columns of the hidden state.</param>
/// <param name="Vocabulary">Columns of the logits.</param>
/// <param name="Blocks">Blocks of a cache that room is kept for.</param>
/// <param name="Cache">What a position costs in a cache.</param>
/// <param name="Ropes">The rotary embeddings that layers use.</param>
/// <param name="CacheType">How keys, and the latent, are stored.</param>
/// <param name="ValueCacheType">How values are stored.</param>
internal sealed record DeviceModel(
    int MaxRows,
    int Embedding,
    int Vocabulary,
    int Blocks,
    CacheShape Cache,
    Layers.RotaryEmbedding[] Ropes,
    CacheType CacheType,
    CacheType ValueCacheType);

/// <summary>
/// Finds and loads the plugin of GPU devices, in a load context of its own, when a device is asked for and not before. It may compile code while
/// it runs, which the engine never does.
/// </summary>
public static class DevicePlugin
{
    /// <summary>The environment variable that names the plugin's assembly.</summary>
    public const string Variable = "PURE_GPU_PLUGIN";

    private const string AssemblyName = "Pure.Gpu";
    private const string TypeName = "Pure.Gpu.Plugin";
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, IDevicePlugin> Loaded = [];

    /// <summary>The devices of this machine beside the processor.</summary>
    /// <param name="path">The plugin's assembly; null for where it is looked for.</param>
    /// <exception cref="DeviceException">There is no plugin, it cannot be loaded, or a driver is missing.</exception>
    public static IReadOnlyList<DeviceInfo> List(string? path = null) => Load(path).List();

    /// <summary>The plugin's assembly, where there is one: named by <see cref="Variable"/>, in the folder gpu beside the program, or beside it.</summary>
    public static string? Find()
    {
        string? named = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(named))
            return named;
        string[] places = [Path.Combine(AppContext.BaseDirectory, "gpu"), AppContext.BaseDirectory];
        return places.Select(folder => Path.Combine(folder, AssemblyName + ".dll")).FirstOrDefault(File.Exists);
    }

    /// <summary>The devices that options name, in their order; none for the processor.</summary>
    /// <exception cref="DeviceException">Names do not go together, or a device is not to be had, and auto was not said.</exception>
    internal static IReadOnlyList<IDevice> Open(DeviceOptions options, DeviceModel model, Action<string>? warn)
    {
        string[] names = Names(options.Name);
        if (names is ["cpu"])
            return [];
        try
        {
            IDevicePlugin plugin = options.Given ?? Load(options.Plugin);
            if (names is not [DeviceOptions.Auto])
                return Open(plugin, names, model);
            names = [.. plugin.List().Select(device => device.Name)];
            return names.Length > 0 ? Open(plugin, names, model) : throw new DeviceException("the GPU plugin found no GPU, or no driver for one.");
        }
        catch (DeviceException missing) when (options.Name == DeviceOptions.Auto)
        {
            warn?.Invoke($"--device auto takes the processor: {missing.Message}");
            return [];
        }
    }

    private static List<IDevice> Open(IDevicePlugin plugin, string[] names, DeviceModel model)
    {
        var devices = new List<IDevice>();
        try
        {
            foreach (string name in names)
                devices.Add(plugin.Open(name, model));
            return devices;
        }
        catch
        {
            foreach (IDevice device in devices)
                device.Dispose();
            throw;
        }
    }

    private static string[] Names(string list)
    {
        string[] names = list.Split(',', StringSplitOptions.TrimEntries);
        if (names.Contains(""))
            throw new DeviceException($"\"{list}\" names a device without a name; give names with commas between them, such as cuda:0,cuda:1.");
        if (names.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new DeviceException($"\"{list}\" names {twice.Key} more than once; name each device once.");
        if (names.Length > 1 && names.Contains("cpu"))
            throw new DeviceException($"\"{list}\" names cpu beside other devices; leave it out: what has no room on them runs on the processor.");
        if (names.Length > 1 && names.Contains(DeviceOptions.Auto))
            throw new DeviceException($"\"{list}\" names auto, which is all devices there are, beside others; give one or the other.");
        return names;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "A trimmed program says that it cannot load plugins.")]
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "A trimmed program says that it cannot load plugins.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Not reached where code cannot be made at run time.")]
    private static IDevicePlugin Load(string? path)
    {
        path ??= Find();
        if (path is null)
        {
            throw new DeviceException(
                $"No GPU plugin was found: {AssemblyName}.dll is neither in the folder gpu beside the program nor named by {Variable}; README says how it is built.");
        }

        path = Path.GetFullPath(path);
        if (!File.Exists(path))
            throw new DeviceException($"There is no GPU plugin {path}; {Variable} names its assembly, and README says how it is built.");
        if (!System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported)
            throw new DeviceException($"{path} cannot be loaded: this program was compiled ahead of time and loads no plugins; use the untrimmed one.");
        lock (Gate)
        {
            if (Loaded.TryGetValue(path, out IDevicePlugin? loaded))
                return loaded;
            try
            {
                Assembly assembly = new PluginContext(path).LoadFromAssemblyPath(path);
                return Loaded[path] = (IDevicePlugin)Activator.CreateInstance(assembly.GetType(TypeName, throwOnError: true)!, nonPublic: true)!;
            }
            catch (Exception broken) when (broken is IOException or BadImageFormatException or TypeLoadException or MissingMethodException
                or MemberAccessException or InvalidOperationException or InvalidCastException or TargetInvocationException)
            {
                string hint = broken is FileNotFoundException ? "; programs published as one trimmed file load no plugins" : "";
                throw new DeviceException(
                    $"{path} cannot be loaded as a GPU plugin of this version: {(broken.InnerException ?? broken).Message.Trim()}{hint}", broken);
            }
        }
    }

    /// <summary>The plugin and its libraries come from its folder; the engine is the one that runs.</summary>
    private sealed class PluginContext : AssemblyLoadContext
    {
        private readonly AssemblyDependencyResolver _resolver;

        [RequiresUnreferencedCode("Loads assemblies that a trimmer has not seen.")]
        internal PluginContext(string path)
            : base(AssemblyName, isCollectible: false) => _resolver = new AssemblyDependencyResolver(path);

        [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The constructor says so.")]
        protected override Assembly? Load(System.Reflection.AssemblyName assemblyName) =>
            assemblyName.Name != "Pure.Engine" && _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;
    }
}
