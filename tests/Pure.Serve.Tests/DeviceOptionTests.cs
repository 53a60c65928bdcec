namespace Pure.Serve.Tests;

/// <summary>The options that say what runs on devices.</summary>
public sealed class DeviceOptionTests
{
    [Theory]
    [InlineData("names cuda:0 more than once", "--device", "cuda:0,cuda:0")]
    [InlineData("names cuda:0 more than once", "--device", "cuda:0", "--device", "cuda:0")]
    [InlineData("names cpu beside other devices", "--device", "cuda:0,cpu")]
    [InlineData("names auto, which is all devices there are, beside others", "--device", "auto,cuda:1")]
    [InlineData("names a device without a name", "--device", "cuda:0,")]
    public void Names_that_do_not_go_together_are_refused(string message, params string[] options) =>
        CommandRun.Of(["run", "-p", "x", .. options]).IsRefused(message);

    [Theory]
    [InlineData("--device")]
    [InlineData("--in-memory")]
    public void A_name_that_is_left_out_is_refused(string option) => CommandRun.Of("run", "-p", "x", option).IsRefused(option);

    [Theory]
    [InlineData("--gpu-layers", "3")]
    [InlineData("--n-cpu-moe", "3")]
    [InlineData("--in-memory", "output")]
    public void What_goes_to_a_device_needs_one(string option, string value) =>
        CommandRun.Of("run", "-p", "x", option, value).IsRefused(option, "add --device cuda:0 or --device auto");
}
