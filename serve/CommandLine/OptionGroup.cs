using System.CommandLine;

namespace Pure.Serve.CommandLine;

/// <summary>Options that help shows under one title.</summary>
internal sealed record OptionGroup(string Title, IReadOnlyList<Option> Options);
