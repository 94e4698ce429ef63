"""Keeping the best of a score."""

from __future__ import annotations

import numpy as np

from workbench.checks import strings
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.rank import SPEC, RankParams


def run(params: RankParams, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    columns = {
        "doc_id": strings("abcde"),
        "n_tokens": scale * np.array([5, 9, 7, 7, 1], dtype=np.float32),
        DESIGN_WEIGHT: np.ones(5),
    }
    return SPEC.run(columns, params, {}, seed).keep


def test_the_longest_are_kept_and_ties_go_by_id() -> None:
    # "Random is almost all you need": of lengths 5, 9, 7 the two longest are 9 and 7.
    assert run(RankParams("n_tokens", 0.4)).tolist() == [False, True, True, False, False]
    assert run(RankParams("n_tokens", 0.4, first="lowest")).tolist() == [True, False, False, False, True]


def test_tokens_of_a_score_that_is_tokens() -> None:
    assert SPEC.needs(RankParams("n_tokens", unit="tokens")) == ("n_tokens", DESIGN_WEIGHT)
    assert run(RankParams("n_tokens", 16 / 29, unit="tokens")).tolist() == [False, True, True, False, False]


def test_a_draw_keeps_the_share_and_differs_by_seed() -> None:
    kept = [run(RankParams("n_tokens", 0.6, draw="gumbel"), seed, 0.1).tolist() for seed in range(8)]
    assert {sum(keep) for keep in kept} == {3}
    assert len({tuple(keep) for keep in kept}) > 1


def test_a_reason_names_score_and_rank() -> None:
    columns = {"doc_id": strings("ab"), "n_tokens": np.array([1.5, 2.0]), DESIGN_WEIGHT: np.ones(2)}
    selection = SPEC.run(columns, RankParams("n_tokens", 0.5), {}, 0)
    assert selection.explain(0) == "n_tokens 1.5 has rank 2 of 2, the first 1 are kept"


def test_a_reason_tells_a_draw_and_a_budget_of_tokens_that_ends() -> None:
    columns = {
        "doc_id": strings("abc"),
        "perplexity": np.array([1.0, 2.0, 3.0]),
        "n_tokens": np.array([10.0, 900.0, 20.0], dtype=np.float32),
        DESIGN_WEIGHT: np.ones(3),
    }
    drawn = SPEC.run(columns, RankParams("perplexity", 0.0, draw="gumbel"), {}, 0)
    assert " in the draw, the first 0 are kept" in drawn.explain(0)
    cut = SPEC.run(columns, RankParams("perplexity", 0.5, unit="tokens"), {}, 0)
    assert cut.keep.tolist() == [False, False, True]
    assert cut.explain(0) == (
        "perplexity 1 has rank 3 of 3, the first 1 are kept and the next one, of 900 tokens, doesn't fit"
    )
