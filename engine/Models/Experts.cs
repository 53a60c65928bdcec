using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>What every mixture's hyper-parameters must satisfy.</summary>
internal static class Experts
{
    /// <exception cref="ModelFormatException">The numbers do not fit together.</exception>
    internal static void Check(WeightReader reader, RouterShape shape)
    {
        if (shape.Experts > Router.MaxExperts)
            throw reader.Wrong("expert_count", $"a number up to {Router.MaxExperts}", shape.Experts);
        if (shape.Groups < 1 || shape.Experts % shape.Groups != 0)
            throw reader.Wrong("expert_group_count", $"a divisor of the {shape.Experts} experts", shape.Groups);
        if (shape.UsedGroups < 1 || shape.UsedGroups > shape.Groups)
            throw reader.Wrong("expert_group_used_count", $"a number from 1 to the {shape.Groups} groups", shape.UsedGroups);
        int eligible = shape.Experts / shape.Groups * shape.UsedGroups;
        if (shape.Used > eligible)
            throw reader.Wrong("expert_used_count", $"a number up to the {eligible} experts a token may choose from", shape.Used);
    }
}
