using Pure.Engine.Memory;

namespace Pure.Engine.Tests.Threading;

/// <summary>Limits of control groups are found where Linux puts them, in either version, on a made-up file system.</summary>
public sealed class ControlGroupTests : IDisposable
{
    private const long Collector = 1_000_000;

    private readonly string _root = Directory.CreateTempSubdirectory("pure").FullName;

    [Fact]
    public void A_system_without_groups_sets_no_limit()
    {
        Assert.Equal(default, ControlGroup.Read(_root));
        Assert.Equal(Collector, MemoryLimit.Read(_root, Collector));
    }

    [Fact]
    public void Version_2_limits_are_the_least_of_a_group_and_those_above_it()
    {
        Write("proc/self/cgroup", "0::/machine/job\n");
        Write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
        Write("sys/fs/cgroup/machine/job/cpu.max", "max 100000\n");
        Write("sys/fs/cgroup/machine/job/memory.max", "4294967296\n");
        Assert.Equal(new ControlGroup(null, 4L << 30), ControlGroup.Read(_root));
        Write("sys/fs/cgroup/machine/cpu.max", "250000 100000\n");
        Write("sys/fs/cgroup/machine/memory.max", "3000000000\n");
        Assert.Equal(new ControlGroup(2.5, 3_000_000_000), ControlGroup.Read(_root));
        Write("sys/fs/cgroup/machine/job/cpu.max", "50000 100000\n");
        Write("sys/fs/cgroup/machine/memory.max", "max\n");
        Assert.Equal(new ControlGroup(0.5, 4L << 30), ControlGroup.Read(_root));
    }

    /// <summary>A container that sees its host's path mounts its own group at the root.</summary>
    [Fact]
    public void A_path_that_is_not_mounted_leaves_the_mounted_root()
    {
        Write("proc/self/cgroup", "0::/docker/0123456789ab\n");
        Write("sys/fs/cgroup/cpu.max", "300000 100000\n");
        Write("sys/fs/cgroup/memory.max", "2147483648\n");
        Assert.Equal(new ControlGroup(3, 2L << 30), ControlGroup.Read(_root));
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("cpu,cpuacct")]
    public void Version_1_limits_are_found_in_a_hierarchy_each(string processors)
    {
        Write("proc/self/cgroup", $"9:name=systemd:/\n4:memory:/a/b\n2:{processors}:/a\n");
        Write($"sys/fs/cgroup/{processors}/a/cpu.cfs_quota_us", "-1\n");
        Write($"sys/fs/cgroup/{processors}/a/cpu.cfs_period_us", "100000\n");
        Write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
        Assert.Equal(default, ControlGroup.Read(_root));
        Write($"sys/fs/cgroup/{processors}/a/cpu.cfs_quota_us", "150000\n");
        Write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1073741824\n");
        Assert.Equal(new ControlGroup(1.5, 1L << 30), ControlGroup.Read(_root));
    }

    [Fact]
    public void A_mixed_system_has_the_limits_of_both_versions()
    {
        Write("proc/self/cgroup", "4:memory:/job\n0::/job\n");
        Write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1073741824\n");
        Write("sys/fs/cgroup/unified/job/cpu.max", "100000 100000\n");
        Assert.Equal(new ControlGroup(1, 1L << 30), ControlGroup.Read(_root));
    }

    [Theory]
    [InlineData("")]
    [InlineData("many 100000")]
    [InlineData("100000")]
    [InlineData("100000 0")]
    public void What_is_no_limit_sets_none(string quota)
    {
        Write("proc/self/cgroup", "no line of the usual form\n0::/\n");
        Write("sys/fs/cgroup/cpu.max", quota);
        Write("sys/fs/cgroup/memory.max", quota);
        Assert.Null(ControlGroup.Read(_root).Processors);
    }

    /// <summary>In a group the collector takes only a part of its memory for itself; weights may have the rest.</summary>
    [Fact]
    public void Memory_is_the_groups_but_no_more_than_the_machines()
    {
        Write("proc/self/cgroup", "0::/\n");
        Write("proc/meminfo", "MemFree: 1 kB\nMemTotal:       4000000 kB\nBuffers: 2 kB\n");
        Write("sys/fs/cgroup/memory.max", "2000000000\n");
        Assert.Equal(2_000_000_000, MemoryLimit.Read(_root, 1_500_000_000));
        Write("sys/fs/cgroup/memory.max", "9000000000\n");
        Assert.Equal(4_096_000_000, MemoryLimit.Read(_root, 1_500_000_000));
        Write("sys/fs/cgroup/memory.max", "max\n");
        Assert.Equal(1_500_000_000, MemoryLimit.Read(_root, 1_500_000_000));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Write(string path, string text)
    {
        string file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
