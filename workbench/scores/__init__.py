"""The scores, by column name. One line a file; a file's scores come out of one or few passes."""

from workbench.scores import (
    c4,
    ccnet,
    cluster,
    compression,
    counts,
    embedding,
    fineweb,
    gopher_quality,
    gopher_repetition,
    language,
    nearest_cluster,
    perplexity,
    prototype,
    readability,
    redpajama,
    refinedweb,
    sample_map,
    token_prior,
    unseen,
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
        *prototype.SPECS,
        *nearest_cluster.SPECS,
        *sample_map.SPECS,
        *cluster.SPECS,
    )
}

__all__ = ["SCORES", "ScoreSpec"]
