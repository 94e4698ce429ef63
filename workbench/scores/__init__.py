"""The scores, by column name. One line a file; a file's scores come out of one or few passes."""

from workbench.scores import (
    c4,
    ccnet,
    cluster,
    compression,
    counts,
    crisp,
    dsir,
    embedding,
    fineweb,
    gopher_quality,
    gopher_repetition,
    language,
    lsh_density,
    minhash,
    nearest_cluster,
    ot_gradient,
    perplexity,
    prototype,
    readability,
    redpajama,
    refinedweb,
    sample_map,
    span_dup,
    substring,
    target_similarity,
    token_prior,
    unseen,
    zip_fit,
)
from workbench.scores.base import ScoreSpec

SCORES: dict[str, ScoreSpec] = {
    spec.name: spec
    for spec in (
        *counts.SPECS,
        *compression.SPECS,
        *language.SPECS,
        *c4.SPECS,
        *gopher_quality.SPECS,
        *gopher_repetition.SPECS,
        *fineweb.SPECS,
        *redpajama.SPECS,
        *readability.SPECS,
        *refinedweb.SPECS,
        *perplexity.SPECS,
        *unseen.SPECS,
        *token_prior.SPECS,
        *ccnet.SPECS,
        *embedding.SPECS,
        *minhash.SPECS,
        *prototype.SPECS,
        *nearest_cluster.SPECS,
        *lsh_density.SPECS,
        *sample_map.SPECS,
        *cluster.SPECS,
        *substring.SPECS,
        *span_dup.SPECS,
        *dsir.SPECS,
        *target_similarity.SPECS,
        *zip_fit.SPECS,
        *ot_gradient.SPECS,
        *crisp.SPECS,
    )
}

__all__ = ["SCORES", "ScoreSpec"]
