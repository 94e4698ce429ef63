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
    "exact": [{}],
    "semdedup": [
        {"keep_fraction": 0.6, "n_clusters": 5},
        *({"epsilon": 0.02, "n_clusters": 5, "keep": keep} for keep in ("hard", "easy", "random")),
    ],
    "prototypes": [{"keep": "easy"}, {"floor": 0.5, "unit": "tokens"}],
    "d4": [
        {"n_clusters": 5},
        {"n_clusters": 4, "dedup_fraction": 0.6, "prototype_fraction": 0.7, "keep": "random"},
    ],
    "dbp": [{"n_clusters": 6}, {"n_clusters": 4, "variant": "repo", "keep_fraction": 0.7}],
    "scip": [{"alpha": 0.3}, {"keep_fraction": 0.5, "alpha": 0.5}],
    "kmq": [{"score": "n_tokens", "keep_fraction": 0.6, "draw": draw} for draw in ("uniform", "gumbel")],
    "car": [
        {"score": "n_tokens", "n_top": 20, "n_each": 3},
        {"score": "n_tokens", "top_fraction": 0.3, "each_fraction": 0.2, "first": "lowest"},
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
}
