"""The rules of RedPajama-v2's card."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.checks import Array, strings
from workbench.scores.redpajama import redpajama_signals
from workbench.selectors.base import Selection
from workbench.selectors.redpajama import SPEC, RedpajamaParams

GOOD = {
    "rps_n_words": 300.0,
    "rps_mean_word_length": 4.5,
    "rps_symbol_ratio": 0.01,
    "rps_bullet_lines_fraction": 0.2,
    "rps_top_2_gram_ratio": 0.05,
}


def run(columns: dict[str, list[float]]) -> Selection:
    n = len(next(iter(columns.values())))
    read: dict[str, Array] = {name: np.array(values, dtype=np.float32) for name, values in columns.items()}
    read["doc_id"] = strings(f"d{i}" for i in range(n))
    return SPEC.run(read, RedpajamaParams(), {}, 0)


def passes(signals: dict[str, float]) -> bool:
    """As the card says it, rule by rule: what is outside is dropped, what lies on a limit isn't."""
    n_words, length = signals["rps_n_words"], signals["rps_mean_word_length"]
    return not (
        n_words < 50 or n_words > 100_000
        or length < 3 or length > 10
        or signals["rps_symbol_ratio"] > 0.1
        or signals["rps_bullet_lines_fraction"] > 0.9
        or signals["rps_top_2_gram_ratio"] > 0.2
    )  # fmt: skip


def test_the_verdicts_are_the_cards() -> None:
    rng = np.random.default_rng(0)
    n = 400
    columns = {
        "rps_n_words": rng.choice([49, 50, 51, 800, 100_000, 100_001], n),
        "rps_mean_word_length": rng.choice([2.9, 3.0, 5.0, 10.0, 10.1], n, p=[0.1, 0.1, 0.6, 0.1, 0.1]),
        "rps_symbol_ratio": rng.choice([0.0, 0.1, 0.11], n, p=[0.6, 0.3, 0.1]),
        "rps_bullet_lines_fraction": rng.choice([0.0, 0.9, 0.91], n, p=[0.6, 0.3, 0.1]),
        "rps_top_2_gram_ratio": rng.choice([0.0, 0.2, 0.21], n, p=[0.6, 0.3, 0.1]),
    }
    keep = run({name: values.tolist() for name, values in columns.items()}).keep
    assert keep.tolist() == [passes({k: float(v[i]) for k, v in columns.items()}) for i in range(n)]
    assert 50 < keep.sum() < 350


def test_a_text_goes_through_its_own_signals() -> None:
    texts = [
        "The river rose for days and nobody knew how long the old bridge would hold. " * 9,
        "- no\n" * 80,
        "",
    ]
    found = [redpajama_signals(" ".join(f"{w}{i % 7}" for i, w in enumerate(t.split()))) for t in texts]
    keep = run({name: [signals[name] for signals in found] for name in GOOD}).keep
    assert keep.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("rps_n_words", 49.0, "rps_n_words 49 is below 50"),
        ("rps_mean_word_length", 11.0, "rps_mean_word_length 11 is above 10"),
        ("rps_top_2_gram_ratio", 0.5, "rps_top_2_gram_ratio 0.5 is above 0.2"),
        ("rps_symbol_ratio", float("nan"), "rps_symbol_ratio is not defined for this document"),
    ],
)
def test_the_reason_names_the_rule(name: str, value: float, told: str) -> None:
    found = run({key: [value if key == name else good] for key, good in GOOD.items()})
    assert not found.keep[0]
    assert found.explain(0) == told
