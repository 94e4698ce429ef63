"""Steps of every selector, for the tests that hold each one to what all promise."""

from __future__ import annotations

from typing import Any

# For each selector, steps that drop something and keep something. A selector that isn't here fails a test below.
STEPS: dict[str, list[dict[str, Any]]] = {
    "band": [
        {"score": "n_tokens", "low": 10, "high": 30},
        {"score": "perplexity", "high": {"quantile": 0.7}, "unscored": "drop"},
        {"score": "perplexity", "low": 30.5, "unscored": "keep"},
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
    "semdedup": [{"epsilon": 0.02, "n_clusters": 5, "keep": keep} for keep in ("hard", "easy", "random")],
    "prototypes": [{"keep": "easy"}, {"floor": 0.5, "unit": "tokens"}],
    "dpp": [
        {"quality": "prototype_distance", "quality_weight": -2.0, "unit": "tokens"},
        {"keep_fraction": 0.2},
    ],
    "tagcos": [{}, {"keep_fraction": 0.3, "n_clusters": 5, "ridge": 0.0}],
    "crest": [{"weighted": False}, {"keep_fraction": 0.3, "subset_documents": 30}],
}
