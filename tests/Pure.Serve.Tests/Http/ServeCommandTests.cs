#pragma warning disable xUnit1051 // the tests have limits of their own
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Pure.Serve.Tests.Http;

/// <summary>The command as a process: its address, its environment, its signals.</summary>
public sealed class ServeCommandTests
{
    private const int Interrupt = 2;
    private const int Terminate = 15;

    [Fact]
    public async Task A_port_that_is_taken_is_one_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string port = $"{((IPEndPoint)taken.LocalEndpoint).Port}";
        CommandRun run = await Task.Run(() => CommandRun.Of("serve", "--port", port));
        run.IsRefused("127.0.0.1", port, "in use already", "--port");
    }

    [Theory]
    [InlineData(new[] { "serve", "--port", "65536" }, new[] { "\"65536\"", "from 0 to 65535" })]
    [InlineData(new[] { "serve", "--host", "no such host" }, new[] { "\"no such host\"", "127.0.0.1" })]
    [InlineData(new[] { "serve", "--host", "192.0.2.1", "--port", "0" }, new[] { "192.0.2.1", "no address of this machine" })]
    [InlineData(new[] { "serve", "--api-key", "" }, new[] { "API key is empty" })]
    [InlineData(new[] { "serve", "--api-key", "a b" }, new[] { "printable ASCII" })]
    [InlineData(new[] { "serve", "--api-key-file", "missing.txt" }, new[] { "missing.txt", "no such file" })]
    [InlineData(new[] { "serve", "--max-concurrent", "0" }, new[] { "\"0\"", "from 1" })]
    [InlineData(new[] { "serve", "--max-body", "much" }, new[] { "\"much\"", "an amount of memory" })]
    [InlineData(new[] { "serve", "--port", "0", "-c", "513" }, new[] { "513", "1 to 512" })]
    [InlineData(new[] { "serve", "missing.gguf", "--port", "0" }, new[] { "missing.gguf" })]
    [InlineData(new[] { "serve", "--max-concurent", "1" }, new[] { "did you mean --max-concurrent?" })]
    public async Task A_wrong_command_line_is_one_sentence(string[] args, string[] facts) =>
        (await Task.Run(() => CommandRun.Of(args))).IsRefused(facts);

    [Fact]
    public void A_file_of_keys_may_have_comments_but_not_only_those()
    {
        using var folder = new TemporaryFolder();
        string none = folder.Write("none.txt", "# keys\n\n"u8.ToArray());
        CommandRun.Of("serve", "--api-key-file", none).IsRefused("none.txt has no key");
        string some = folder.Write("some.txt", "# keys\n one \n\ntwo\n"u8.ToArray());
        Assert.Equal(3, Serve.Http.ApiKeys.Read(["zero"], some, null, new CommandStreams(Stream.Null, Stream.Null, Stream.Null)).Count);
    }

    [Theory]
    [InlineData(Terminate)]
    [InlineData(Interrupt)]
    public async Task A_signal_lets_a_running_request_finish_and_the_command_succeeds(int signal)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Signals are sent by libc's kill.");
        using Process process = Start([("PURE_API_KEY", "secret"), ("MODEL", null)], "--port", "0", "--isa", "scalar", "-t", "1", "--alias", "mine");
        using HttpClient client = await ConnectAsync(process, "mine");
        client.DefaultRequestHeaders.Authorization = new("Bearer", "secret");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent(
                "{\"prompt\": \"Once\", \"max_tokens\": 60, \"ignore_eos\": true, \"stream\": true}", Encoding.UTF8, "application/json"),
        };
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(200, (int)response.StatusCode);
        if (signal == Interrupt && IgnoresInterrupts())
            Assert.Skip("SIGINT is ignored in this process, as in a shell's background, and a child inherits that.");
        Assert.Equal(0, Signal(process.Id, signal));

        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}: {errors}");
        Assert.Matches(@"\Atime=\S+ request=\S+ method=POST route=/v1/completions status=200 .*\n\z", errors);
        Assert.DoesNotContain("secret", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environment_names_the_model_and_the_argument_goes_before_it()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("from-environment.gguf", EmbeddedModel.Bytes());
        using Process named = Start([("MODEL", path)], "--port", "0");
        (await ConnectAsync(named, "from-environment")).Dispose();
        named.Kill();
        using Process overridden = Start([("MODEL", "missing.gguf")], "stories-moe", "--port", "0");
        (await ConnectAsync(overridden, "stories-moe")).Dispose();
        overridden.Kill();
    }

    [Fact]
    public async Task Other_commands_do_without_the_web()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "What a process has loaded is read from /proc.");
        using Process chat = StartCommand([("MODEL", null)], "chat", "--temp", "0", "-n", "4");
        await chat.StandardInput.WriteLineAsync("Hello");
        await chat.StandardInput.FlushAsync();
        Assert.NotNull(await chat.StandardOutput.ReadLineAsync());
        string maps = await File.ReadAllTextAsync($"/proc/{chat.Id}/maps");
        chat.Kill();
        Assert.Contains("Pure.Chat", maps, StringComparison.Ordinal);
        Assert.DoesNotContain("Microsoft.AspNetCore", maps, StringComparison.Ordinal);
        Assert.DoesNotContain("Microsoft.Extensions", maps, StringComparison.Ordinal);
    }

    private static Process Start((string Name, string? Value)[] variables, params string[] args) => StartCommand(variables, ["serve", .. args]);

    private static Process StartCommand((string Name, string? Value)[] variables, params string[] args)
    {
        string pure = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "pure.exe" : "pure");
        var start = new ProcessStartInfo(pure, args) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string? value) in variables)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Waits for the line that says where the server is.</summary>
    private static async Task<HttpClient> ConnectAsync(Process process, string model)
    {
        string? line = await process.StandardOutput.ReadLineAsync();
        if (line is null)
            Assert.Fail(await process.StandardError.ReadToEndAsync());
        string opening = $"pure: {model} answers at ";
        Assert.StartsWith(opening, line, StringComparison.Ordinal);
        var client = new HttpClient { BaseAddress = new Uri(line[opening.Length..]) };
        Assert.Equal(200, (int)(await client.GetAsync("/health")).StatusCode);
        return client;
    }

    // Bit 1 of the mask of ignored signals stands for SIGINT.
    private static bool IgnoresInterrupts() => File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))
        .Any(line => (Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16) & 2) != 0);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);
}
