namespace Pure.Engine.Models;

/// <summary>What a model is.</summary>
/// <param name="Architecture">Family, as <c>general.architecture</c> names it.</param>
/// <param name="Name">The model's own name, or the file's.</param>
/// <param name="VocabularySize">Rows of the embedding, and columns of the logits.</param>
/// <param name="ContextLength">Most positions of a sequence.</param>
/// <param name="EmbeddingLength">Columns of the embedding.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="Parameters">Weights in the file.</param>
/// <param name="ActiveParameters">Weights that one token meets: all but the embedding table and the experts it does not use.</param>
/// <param name="WeightBytes">Bytes of the weights in the file.</param>
public sealed record ModelInfo(
    string Architecture,
    string Name,
    int VocabularySize,
    int ContextLength,
    int EmbeddingLength,
    int Layers,
    long Parameters,
    long ActiveParameters,
    long WeightBytes);
