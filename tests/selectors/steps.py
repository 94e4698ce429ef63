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
    "semdedup": [{"epsilon": 0.02, "n_clusters": 5, "keep": keep} for keep in ("hard", "easy", "random")],
    "dsir": [{"keep_fraction": 0.3}, {"keep_fraction": 0.4, "top_k": True}],
    "rds": [{"keep_fraction": 0.3, "tasks": "one"}, {"keep_fraction": 0.4, "unit": "tokens"}],
    "cit": [{"threshold": 1.0, "min_ratio": 0.3}, {"threshold": 0.4}],
    "prototypes": [{"keep": "easy"}, {"floor": 0.5, "unit": "tokens"}],
}
