using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Pure.Serve.Http;

/// <summary>
/// The keys that open the server. Only their hashes are kept, and all are compared over their whole length, so that neither time nor a
/// dump of the memory tells a key.
/// </summary>
internal sealed class ApiKeys
{
    private const string Bearer = "Bearer ";
    private readonly byte[][] _hashes;

    private ApiKeys(byte[][] hashes) => _hashes = hashes;

    /// <summary>No keys: everyone may ask.</summary>
    internal static ApiKeys None { get; } = new([]);

    /// <summary>How many there are.</summary>
    internal int Count => _hashes.Length;

    /// <summary>The keys given on the command line, in a file (one a line; blank lines and those with # are none) and by the environment.</summary>
    /// <exception cref="UsageException">A key is empty or no header can hold it, or the file cannot be read or has none.</exception>
    internal static ApiKeys Read(IEnumerable<string> given, string? file, string? variable, CommandStreams streams)
    {
        List<string> keys = [.. given];
        if (file is not null)
        {
            string[] lines = TextInput.Read(file, streams).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            lines = [.. lines.Where(line => line[0] != '#')];
            keys.AddRange(lines.Length > 0 ? lines : throw new UsageException($"{file} has no key; write one on each line."));
        }

        if (!string.IsNullOrEmpty(variable))
            keys.Add(variable);
        if (keys.Any(key => key.Length == 0 || key.Any(letter => letter is <= ' ' or > '~')))
            throw new UsageException("an API key is empty or has letters that no header can hold; use printable ASCII without blanks.");
        return new ApiKeys([.. keys.Select(Hash)]);
    }

    /// <summary>Whether a request carries one of the keys, as <c>Authorization: Bearer KEY</c> or <c>x-api-key: KEY</c>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="holder">Tells the holders of different keys apart; empty where there are no keys.</param>
    internal bool Admit(HttpRequest request, out string holder)
    {
        holder = "";
        if (_hashes.Length == 0)
            return true;
        string authorization = request.Headers.Authorization.ToString();
        string key = authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? authorization[Bearer.Length..].Trim()
            : request.Headers["x-api-key"].ToString();
        byte[] hash = Hash(key);
        bool admits = false;
        foreach (byte[] known in _hashes)
            admits |= CryptographicOperations.FixedTimeEquals(known, hash);
        holder = Convert.ToHexString(hash);
        return admits;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
