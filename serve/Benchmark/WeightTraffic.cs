using Pure.Engine.Formats;

namespace Pure.Serve.Benchmark;

/// <summary>How many bytes of weights one decoded token must read, as the file stores them.</summary>
internal static class WeightTraffic
{
    private const string Embedding = "token_embd.weight";
    private const string Head = "output.weight";

    /// <summary>All tensors; of the routed experts those that are used; of an embedding table that is not the head too, one row.</summary>
    internal static long BytesPerToken(ModelFile file)
    {
        string architecture = file.Metadata.GetString("general.architecture");
        long experts = file.Metadata.FindInteger($"{architecture}.expert_count") ?? 0;
        long used = file.Metadata.FindInteger($"{architecture}.expert_used_count") ?? 0;
        double expertShare = experts > 0 ? (double)used / experts : 1;
        bool isTied = !file.Tensors.Any(tensor => tensor.Name == Head);
        double bytes = 0;
        foreach (Tensor tensor in file.Tensors)
        {
            bytes += tensor.Name switch
            {
                Embedding when !isTied => (double)tensor.Bytes / tensor.Shape[0],
                var name when name.Contains("_exps.", StringComparison.Ordinal) => tensor.Bytes * expertShare,
                _ => tensor.Bytes,
            };
        }

        return (long)bytes;
    }
}
