using System.Runtime.InteropServices;
using System.Text.Json;

namespace Pure.Engine.Tests.Models;

/// <summary>
/// Expected results of one tiny model, computed by float64 mathematics and by llama.cpp. A few lie in the repository; the rest beside it.
/// </summary>
internal sealed class Golden
{
    private readonly JsonElement _json;

    private Golden(string name)
    {
        Name = name;
        _json = Read(name);
        if (_json.TryGetProperty("same_model_as", out JsonElement same))
        {
            // A model in several files: the first is opened, and everything expected is the one-file model's.
            ModelPath = Find(_json.GetProperty("files")[0].GetString()!);
            _json = Read(same.GetString()!);
        }
        else
        {
            ModelPath = Find(_json.GetProperty("file").GetString()!);
        }
    }

    public string Name { get; }

    public string ModelPath { get; }

    public int Vocabulary => _json.GetProperty("vocab").GetInt32();

    public int[] Tokens => Integers(_json.GetProperty("tokens"));

    public int[] Positions => Integers(_json.GetProperty("exact_logits").GetProperty("positions"));

    public float[] ExactLogits => Floats(_json.GetProperty("exact_logits").GetProperty("file").GetString()!);

    public int PromptLength => _json.GetProperty("greedy").GetProperty("prompt_len").GetInt32();

    public int[] GreedyTokens => Integers(_json.GetProperty("greedy").GetProperty("tokens"));

    public bool IsMixture => _json.GetProperty("stats").GetProperty("router_min_margin").ValueKind == JsonValueKind.Number;

    public double LlamaCppDistance => _json.GetProperty("agreement").GetProperty("nmse_llamacpp_vs_exact").GetDouble();

    public double[] LlamaCppDistances =>
        [.. _json.GetProperty("agreement").GetProperty("per_position_nmse").EnumerateArray().Select(value => value.GetDouble())];

    /// <summary>The run past the original context of models with stretched positions, or null.</summary>
    public (int[] Tokens, int[] Positions, float[] Logits)? Long => !_json.TryGetProperty("long", out JsonElement run)
        ? null
        : (Integers(run.GetProperty("tokens")),
            Integers(run.GetProperty("exact_logits").GetProperty("positions")),
            Floats(run.GetProperty("exact_logits").GetProperty("file").GetString()!));

    public static Golden Open(string name) => new(name);

    /// <summary>Σ(ours − theirs)² / Σ theirs².</summary>
    public static double Nmse(ReadOnlySpan<float> ours, ReadOnlySpan<float> theirs)
    {
        Assert.Equal(theirs.Length, ours.Length);
        double error = 0;
        double norm = 0;
        for (int i = 0; i < theirs.Length; i++)
        {
            error += ((double)ours[i] - theirs[i]) * ((double)ours[i] - theirs[i]);
            norm += (double)theirs[i] * theirs[i];
        }

        return error / norm;
    }

    private static JsonElement Read(string name) => JsonDocument.Parse(File.ReadAllText(Find($"{name}.json"))).RootElement;

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetInt32())];

    private static float[] Floats(string file) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Find(file))).ToArray();

    private static string Find(string file)
    {
        string own = Path.Combine([Repository.Root, "tests", "Pure.Engine.Tests", "goldens", .. file.Split('/')]);
        return File.Exists(own) ? own : Shared.Path(["goldens", .. file.Split('/')]);
    }
}
