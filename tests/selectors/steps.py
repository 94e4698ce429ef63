"""Steps of every selector, for the tests that hold each one to what all promise."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.checks import Array
from workbench.scores import SCORES

# For each selector, steps that drop something and keep something. A selector that isn't here fails a test below.
STEPS: dict[str, list[dict[str, Any]]] = {
    "band": [
        {"score": "n_tokens", "low": 10, "high": 30},
        {"score": "perplexity", "high": {"quantile": 0.7}, "unscored": "drop"},
        {"score": "perplexity", "low": 30.5, "unscored": "keep"},
    ],
    "vote": [
        {
            "scores": ["n_tokens", "perplexity", "prototype_distance"],
            "lows": [10, None, 0.3],
            "highs": [30, 60, None],
            "at_least": 2,
        },
        {"scores": ["n_tokens", "perplexity"], "lows": [8, None], "highs": [None, 30], "at_least": 2},
    ],
    "category": [
        {"score": "language", "values": ["en"]},
        {"score": "source", "values": ["poems", "letters"]},
    ],
    "random": [{"fraction": 0.4}],
    "rank": [
        {"score": "n_tokens", "keep_fraction": 0.3, "first": "lowest"},
        {"score": "n_tokens", "keep_fraction": 0.3, "unit": "tokens", "draw": "gumbel"},
    ],
    "rank_average": [
        {"scores": ["n_tokens", "perplexity"], "weights": [1, -2.5], "keep_fraction": 0.3},
        {"scores": ["n_tokens", "prototype_distance"], "unit": "tokens"},
    ],
    "exact": [{}],
    "semdedup": [
        {"keep_fraction": 0.6, "n_clusters": 5},
        *({"epsilon": 0.02, "n_clusters": 5, "keep": keep} for keep in ("hard", "easy", "random")),
    ],
    "minhash": [{}, {"survivor": "longest"}, {"min_similarity": 0.5}],
    "spans": [
        {"unit": "sentences3", "max_duplicate_fraction": 0.3},
        {"unit": "paragraph", "max_duplicate_fraction": 0.1},
        {"unit": "line"},
        {"unit": "sentence", "max_duplicate_fraction": 0.4},
    ],
    "substring": [
        {"min_tokens": 4},
        {"min_tokens": 7, "variant": "remove_all", "max_duplicate_fraction": 0.2},
        {"min_tokens": 5, "max_duplicate_fraction": 0.3},
    ],
    "dsir": [{"keep_fraction": 0.3}, {"keep_fraction": 0.4, "top_k": True}],
    "rds": [{"keep_fraction": 0.3, "tasks": "one"}, {"keep_fraction": 0.4, "unit": "tokens"}],
    "cit": [{"threshold": 1.0, "min_ratio": 0.3}, {"threshold": 0.4}],
    "snp": [{"keep_fraction": 0.5}, {"keep_fraction": 0.3}],
    "dfn": [{}, {"score": "n_tokens", "keep_fraction": 0.4}],
    "dsir_targets": [{"keep_fraction": 0.3, "top_k": True}, {"keep_fraction": 0.4}],
    "prototypes": [{"keep": "easy"}, {"floor": 0.5, "unit": "tokens"}],
    "d4": [
        {"n_clusters": 5},
        {"n_clusters": 4, "dedup_fraction": 0.6, "prototype_fraction": 0.7, "keep": "random"},
    ],
    "dbp": [{"n_clusters": 6}, {"n_clusters": 4, "variant": "repo", "keep_fraction": 0.7}],
    "gopher_quality": [
        {"max_words": 200, "min_stop_words": 1},
        {"min_words": 8, "min_stop_words": 0, "max_mean_word_length": 6.5},
    ],
    "gopher_repetition": [
        {"dup_lines_fraction": 0.6, "dup_5_gram": 0.5, "top_2_gram": 0.3},
        {f"top_{n}_gram": 2.0 for n in (2, 3, 4)},
    ],
    "c4": [
        {"variant": "paper", "max_bad_words": 3, "min_long_lines": 2},
        {"min_sentences": 2},
    ],
    "fineweb": [{"variant": "paper", "max_dup_lines_chars_fraction": 0.6}, {"max_short_lines_fraction": 0.5}],
    "dpp": [
        {"quality": "prototype_distance", "quality_weight": -2.0, "unit": "tokens"},
        {"keep_fraction": 0.2},
    ],
    "scip": [{"alpha": 0.3}, {"keep_fraction": 0.5, "alpha": 0.5}],
    "kmq": [{"score": "n_tokens", "keep_fraction": 0.6, "draw": draw} for draw in ("uniform", "gumbel")],
    "car": [
        {"score": "n_tokens", "n_top": 20, "n_each": 3},
        {"score": "n_tokens", "top_fraction": 0.3, "each_fraction": 0.2, "first": "lowest"},
        {"score": "n_tokens", "n_top": 9, "clusters": "prototype"},
    ],
    "ccs": [
        {"score": "n_tokens", "n_strata": 7, "variant": "repo"},
        {"score": "n_tokens", "hard_score": "prototype_distance", "hard_fraction": 0.2, "hard": "highest"},
    ],
    "sensitivity": [
        {"score": "n_tokens", "epsilon": 0.2},
        {"score": "n_tokens", "draw_fraction": 0.8, "scale": 3.0},
    ],
    "density": [{"variant": "printed"}, {"keep_fraction": 0.4, "unit": "tokens"}],
    "gneissweb": [
        {"score": "perplexity", "above": 40, "category": "language", "categories": ["de"]},
        {
            "score": "perplexity",
            "above": 1,
            "other_score": "n_chars",
            "category": "source",
            "categories": ["poems"],
        },
        {
            "score": "n_tokens",
            "above": 4,
            "category": "language",
            "categories": ["en"],
            "max_eflaw_in_category": 20,
        },
    ],
    "redpajama": [{}, {"min_words": 10, "max_bullet_lines_fraction": 0.5}],
    "refinedweb": [{}, {"max_removed_words_fraction": 0.0}],
    "brevity": [{}, {"drop_fraction": 0.5}],
    "stratified": [
        {"quota": "equal", "max_share": 0.4},
        {"by": "score", "n_bins": 7, "score": "n_chars", "keep": "lowest", "keep_fraction": 0.3},
        {"by": "language"},
    ],
    "random_budget": [{"unit": "documents"}, {}],
    "source_budget": [
        {"sources": ["poems"], "caps": [0.1], "repeats": [2], "unit": "tokens", "fill": "proportional"},
        {"sources": ["poems", "letters"], "floors": [0.2, 0.1], "scores": ["n_tokens"], "draw": "gumbel"},
    ],
    "repeat": [{"token_budget": 2_000}, {"epochs": 0.3}],
    "tagcos": [{}, {"keep_fraction": 0.3, "n_clusters": 5, "ridge": 0.0}],
    "crest": [{"weighted": False}, {"keep_fraction": 0.3, "subset_documents": 30}],
}


def signal_columns(n: int, seed: int = 11) -> dict[str, Array]:
    """Numbers such as the text signals give, of n documents; some are on a published limit, some missing."""
    rng = np.random.default_rng(seed)
    columns = {
        "eflaw": rng.gamma(6, 7, n).astype(np.float32),
        "n_chars": rng.integers(20, 200, n).astype(np.float32),
    }
    for name in (
        spec
        for spec in SCORES
        if spec.startswith(("gopher_", "fineweb_", "c4_n_", "refinedweb_", "rps_", "n_bad_words"))
    ):
        if name.endswith(("_n_words", "_mean_word_length")):
            values = rng.gamma(4, 30, n) if name.endswith("_n_words") else rng.normal(6, 2, n)
        elif "_n_" in name:
            values = rng.integers(0, 8, n) * (
                rng.random(n) < (0.1 if "lorem" in name or "curly" in name else 1)
            )
        elif "terminal" in name or "alpha" in name:
            values = 1 - 0.3 * rng.random(n).round(1)
        else:
            values = rng.gamma(0.5, 0.05, n).round(2).clip(0, 1)
        # all documents have a number of bad words, or none has: where there is no list
        missing = 0.0 if name == "n_bad_words" else 0.02
        columns[name] = np.where(rng.random(n) < missing, np.nan, values).astype(np.float32)
    return columns
