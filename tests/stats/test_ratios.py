"""Shares and means of a corpus: the published estimator, and the truth lies in the interval as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.stats import Estimate, Known, kept_totals
from workbench.stats.ratios import MIN_FOR_SHARE, kept_shares, mean_amount

SIZES, SAMPLED = (5000, 500, 20_000), (60, 100, 400)
SIZE = np.asarray(SIZES, dtype=np.float64)
CODE = np.repeat(np.arange(3), SAMPLED)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.95])
def test_the_truth_lies_in_the_interval_as_often_as_it_says(fraction: float) -> None:
    rng = np.random.default_rng(0)
    shares_kept = fraction * np.asarray([1, 0.5, 0.8])
    corpus = [
        (rng.random(n) < f, np.ceil(rng.lognormal(5, 1, n))) for n, f in zip(SIZES, shares_kept, strict=True)
    ]
    kept = np.asarray([keep.sum() for keep, _ in corpus], dtype=np.float64)
    mean = sum(tokens[keep].sum() for keep, tokens in corpus) / kept.sum()
    shares, inside, n_draws = np.zeros(3), 0, 300
    n_bytes = {str(i): 4.0 * tokens.sum() for i, (_, tokens) in enumerate(corpus)}
    sizes = {str(i): n for i, n in enumerate(SIZES)}
    for _ in range(n_draws):
        rows = [rng.choice(n, m, replace=False) for n, m in zip(SIZES, SAMPLED, strict=True)]
        keep = np.concatenate([corpus[i][0][rows[i]] for i in range(3)])
        tokens = np.concatenate([corpus[i][1][rows[i]] for i in range(3)])
        for i, found in enumerate(kept_shares(keep, CODE, SIZE)):
            assert found is not None
            shares[i] += found.low <= kept[i] / kept.sum() <= found.high
        amounts = {"n_documents": np.ones(len(keep)), "n_tokens": tokens}
        known = {"n_tokens": Known(4.0 * tokens, n_bytes)}
        totals = kept_totals(keep, amounts, CODE, sizes, known=known).all
        estimate = mean_amount(totals["n_tokens"], totals["n_documents"])
        assert estimate is not None
        assert estimate.value == pytest.approx(totals["n_tokens"].value / totals["n_documents"].value)
        inside += estimate.low <= mean <= estimate.high
    # Shares: measured .90 at the least (see the docstring); 300 draws are good for .03.
    assert (shares / n_draws >= 0.88).all()
    assert inside / n_draws >= 0.92


def test_the_values_are_the_expanded_ratios() -> None:
    rng = np.random.default_rng(1)
    keep = rng.random(len(CODE)) < 0.6
    weight = (SIZE / SAMPLED)[CODE]
    for i, share in enumerate(kept_shares(keep, CODE, SIZE)):
        assert share is not None
        assert share.value == pytest.approx(weight[keep & (i == CODE)].sum() / weight[keep].sum())
        assert 0 < share.low < share.value < share.high < 1


def test_a_corpus_that_is_its_own_sample_leaves_nothing_open() -> None:
    rng = np.random.default_rng(2)
    keep = rng.random(len(CODE)) < 0.6
    whole = np.asarray(SAMPLED, dtype=np.float64)
    mean = mean_amount(Estimate(600.0, 600.0, 600.0), Estimate(3.0, 3.0, 3.0))
    assert mean == Estimate(200.0, 200.0, 200.0)
    for share in kept_shares(keep, CODE, whole):
        assert share is not None
        assert share.low == pytest.approx(share.value)
        assert share.high == pytest.approx(share.value)


def test_too_few_documents_get_no_interval() -> None:
    code = np.repeat([0, 1], [MIN_FOR_SHARE - 1, 200])
    keep = np.zeros(len(code), dtype=bool)
    keep[-49:] = True
    size = np.asarray([900.0, 9000.0])
    few, many = kept_shares(keep, code, size)
    assert few is None
    assert many is not None
    nothing = np.zeros(len(code), dtype=bool)
    assert kept_shares(nothing, code, size) == [None, None]
    assert mean_amount(Estimate(0.0, 0.0, 90.0), Estimate(0.0, 0.0, 3.0)) is None
    low_unknown = mean_amount(Estimate(50.0, 0.0, 80.0), Estimate(2.0, 0.0, 3.0))
    assert low_unknown is not None
    assert low_unknown.low == 0.0
    assert 1e9 < low_unknown.high < float("inf")


def test_a_source_of_which_nothing_is_kept_may_still_have_some_in_the_corpus() -> None:
    keep = CODE != 1
    _, none, _ = kept_shares(keep, CODE, SIZE)
    assert none is not None
    assert none.low == none.value == 0
    assert 0 < none.high < 0.02


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_lies_between_0_and_1(level: float) -> None:
    with pytest.raises(InputError, match="level must lie between 0 and 1"):
        kept_shares(np.ones(3, dtype=bool), np.arange(3), np.ones(3), level=level)
