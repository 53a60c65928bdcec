namespace Pure.Engine.Models;

/// <summary>How multi-head latent attention reads prompts. Each form is its own function, equally repeatable.</summary>
public enum LatentForm
{
    /// <summary>Queries meet the cached latents themselves; heads are never made. For prompts and for what is written.</summary>
    Absorbed,

    /// <summary>
    /// Rows of a prompt (<see cref="Memory.Sequence.PromptLength"/>) meet each head's keys and values, made from the latents span by span
    /// and not kept: fewer products over long prompts. Rows after the prompt stay absorbed.
    /// </summary>
    Expanded,
}
