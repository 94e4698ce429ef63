"""Sensitivity sampling (Axiotis et al. 2024)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.sensitivity import SPEC, SensitivityParams, n_draws, sensitivities


def columns_of(cluster: Any, distance: Any, loss: Any, weight: Any = None) -> dict[str, np.ndarray]:
    n = len(cluster)
    return {
        "doc_id": strings(f"d{i:04d}" for i in range(n)),
        "loss": np.array(loss, dtype=np.float32),
        "prototype_cluster": np.array(cluster, dtype=np.float32),
        "prototype_distance": np.array(distance, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(n) if weight is None else np.array(weight),
    }


def run(columns: dict[str, np.ndarray], seed: int = 0, **params: Any):
    return SPEC.run(columns, SensitivityParams("loss", **params), {}, seed)


# Losses 1 and 3 at the two centres; unit vectors at cosine distance 1 lie sqrt(2) apart, squared 2.
FOUR = columns_of([0, 0, 1, 1], [0, 1, 0, 1], [1, 77, 3, 88])


def test_probabilities_are_the_loss_at_the_centre_and_the_distance_from_it() -> None:
    value = run(FOUR).score
    assert value is not None
    np.testing.assert_allclose(value / value.sum(), np.array([1, 3, 3, 5]) / 12)
    assert sensitivities(np.array([1.0, 1, 3, 3]), np.array([0.0, 2, 0, 2]), 1.0).tolist() == [1, 3, 3, 5]


def test_the_power_is_that_of_the_distance() -> None:
    value = run(FOUR, power=1.0).score
    np.testing.assert_allclose(value, [1, 1 + np.sqrt(2), 3, 3 + np.sqrt(2)])


def test_without_scale_and_with_equal_losses_every_document_is_as_likely() -> None:
    value = run(columns_of([0, 0, 1], [0, 0.5, 0.1], [2, 9, 2]), scale=0.0).score
    assert value is not None
    assert len(set(value.tolist())) == 1


def test_where_both_terms_are_0_a_document_can_be_drawn_all_the_same() -> None:
    value = sensitivities(np.array([0.0, 4.0]), np.zeros(2), 1.0)
    assert 0 < value[0] < 1e-6
    assert sensitivities(np.zeros(3), np.zeros(3), 1.0).tolist() == [1, 1, 1]


def test_the_loss_at_a_centre_is_that_of_the_nearest_document() -> None:
    value = run(columns_of([4, 4, 4], [0.3, 0.1, 0.1], [7, 5, 6]), scale=0.0).score
    assert value is not None
    assert value.tolist() == [5, 5, 5], "of equally near ones the smaller doc_id"


def test_weights_of_the_draws_sum_the_losses_without_bias() -> None:
    rng = np.random.default_rng(0)
    cluster, distance = rng.integers(0, 4, 60), rng.random(60)
    columns = columns_of(cluster, distance, rng.random(60) + 0.5)
    centre_loss = SPEC.scan(columns, SensitivityParams("loss"), {}, 0)["centre_loss"]  # type: ignore[misc]
    sums = []
    for seed in range(400):
        selection = run(columns, seed, draw_fraction=0.3)
        assert selection.weight is not None
        sums.append(float((selection.weight * centre_loss)[selection.keep].sum()))
    error = np.std(sums) / np.sqrt(len(sums))
    assert abs(np.mean(sums) - centre_loss.sum()) < 4 * error
    assert error < 0.02 * centre_loss.sum()


def test_repeat_weights_are_draws_times_the_inverse_of_what_is_expected() -> None:
    columns = columns_of([0] * 10, np.linspace(0, 0.9, 10), [2] * 10)
    selection = run(columns, draw_fraction=1.0)
    assert selection.weight is not None
    assert selection.score is not None
    p = selection.score / selection.score.sum()
    counts = selection.weight * 10 * p
    drawn = counts[selection.keep]
    np.testing.assert_allclose(drawn, np.round(drawn), atol=1e-9)
    assert drawn.sum() == pytest.approx(10)
    assert drawn.max() >= 2, "a document may be drawn twice"
    assert (selection.weight[~selection.keep] == 1).all()


def test_documents_are_drawn_by_their_probability() -> None:
    counts = np.zeros(4)
    for seed in range(1500):
        selection = run(FOUR, seed, draw_fraction=0.5)  # two draws
        assert selection.weight is not None
        counts += np.where(selection.keep, selection.weight, 0) * 2 * np.array([1, 3, 3, 5]) / 12
    assert counts.sum() == pytest.approx(3000)
    assert chisquare(counts, 3000 * np.array([1, 3, 3, 5]) / 12).pvalue > 0.001


def test_the_number_of_draws_follows_from_the_error() -> None:
    assert [n_draws(e) for e in (1.0, 0.5, 0.1)] == [3, 10, 207]
    columns = columns_of([0] * 50, [0.2] * 50, [1.0] * 50)
    selection = run(columns, epsilon=0.1)  # more draws than documents
    assert selection.weight is not None
    assert (selection.weight[selection.keep] * 207 / 50).sum() == pytest.approx(207)


def test_a_sample_draws_each_document_as_often_as_the_corpus_would() -> None:
    # 40 documents stand for 9 each: a draw of a tenth of 400 makes 4 of 40 and 4 of the other 40.
    columns = columns_of([0] * 80, [0.0] * 80, [1.0] * 80, np.r_[np.full(40, 9.0), np.ones(40)])
    counts = np.zeros(80)
    for seed in range(200):
        selection = run(columns, seed, draw_fraction=0.1)
        assert selection.weight is not None
        counts += np.where(selection.keep, selection.weight * 0.1, 0)
    assert counts.sum() == pytest.approx(8 * 200)
    assert chisquare([counts[:40].sum(), counts[40:].sum()]).pvalue > 0.001


def test_the_reason_names_the_chance() -> None:
    selection = run(FOUR, draw_fraction=0.25)
    i = int(np.flatnonzero(~selection.keep)[0])
    assert selection.explain(i).startswith("none of the 1 draws fell on it: its chance in each is 0.")


def test_params_out_of_range_are_refused() -> None:
    for params, message in (
        ({"draw_fraction": 2.0}, r"draw_fraction must lie in 0\.\.1, got 2"),
        ({"power": 0.5}, r"power must be at least 1, got 0\.5"),
        ({"scale": -1.0}, "scale must be at least 0, got -1"),
        ({"epsilon": 0.0}, r"epsilon must be above 0, got 0; 0\.1 takes 207 draws"),
        ({"epsilon": 1e-9}, r"epsilon 1e-09 takes 2e\+18 draws, and at most 1e\+07 are made"),
        ({"epsilon": 1e-300}, r"epsilon 1e-300 takes inf draws"),
        ({"scale": 1e308}, r"scale must be at most 1e\+12, got 1e\+308"),
        ({"power": 1e9}, r"power must be at most 20, got 1e\+09"),
    ):
        with pytest.raises(InputError, match=message):
            run(FOUR, **params)


def test_negative_losses_are_refused() -> None:
    with pytest.raises(InputError, match="a loss must be 0 or more, got -2 at a centre; take another score"):
        run(columns_of([0, 0], [0, 1], [-2, 1]))
