"""CREST's selection part (Yang et al. 2023): facility location on random subsets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.models.geometry.facility import facility_location, nearness, stands_for
from workbench.selectors.base import Selection
from workbench.selectors.crest import SPEC, CrestParams


def columns(n: int) -> dict[str, Any]:
    x = np.random.default_rng(0).normal(size=(n, 7))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return {"doc_id": strings(f"d{i:04d}" for i in range(n)), "embedding": x.astype(np.float32)}


def run(given: dict[str, Any], seed: int = 0, **params: Any) -> Selection:
    return SPEC.run(given, CrestParams(**params), {}, seed)


def test_one_subset_of_all_is_facility_location() -> None:
    given = columns(60)
    similarity = nearness(given["embedding"], given["embedding"])
    order = facility_location(similarity, 15).order
    found = run(given, keep_fraction=0.25, subset_documents=60)
    assert set(np.flatnonzero(found.keep).tolist()) == set(order.tolist())
    assert found.weight is not None
    assert found.weight[order].tolist() == stands_for(similarity[:, order]).tolist()
    # It doesn't depend on the seed, since there is nothing to draw.
    np.testing.assert_array_equal(run(given, 5, keep_fraction=0.25, subset_documents=60).keep, found.keep)


def test_the_share_is_met_over_subsets_of_unequal_size_and_weights_sum_to_all() -> None:
    given = columns(107)
    for fraction in (0.0, 0.1, 0.337, 1.0):
        found = run(given, keep_fraction=fraction, subset_documents=20)
        assert found.keep.sum() == round(fraction * 107)
        assert found.weight is not None
        assert not fraction or found.weight[found.keep].sum() == 107
        assert run(given, keep_fraction=fraction, subset_documents=20, weighted=False).weight is None


def test_documents_are_dealt_to_subsets_anew_by_another_seed_and_alike_by_the_same() -> None:
    given = columns(400)
    params = CrestParams(subset_documents=100)
    one, same, other = (SPEC.scan(given, params, {}, seed)["subset"] for seed in (1, 1, 2))  # type: ignore[misc]
    np.testing.assert_array_equal(one, same)
    assert np.bincount(one).tolist() == [100] * 4
    table = np.histogram2d(one, other, bins=4)[0]
    # Of 100 in a subset 25 are expected in each of the others: chi-square with 9 degrees of freedom, 1 in 10,000.
    assert ((table - 25) ** 2 / 25).sum() < 33.7


def test_a_copy_goes_before_what_it_copies() -> None:
    given = columns(40)
    given["embedding"][20:] = given["embedding"][:20]
    found = run(given, keep_fraction=0.5, subset_documents=40)
    assert np.flatnonzero(found.keep).tolist() == list(range(20))
    assert found.weight is not None
    assert (found.weight[:20] == 2).all()


def test_a_reason_names_place_and_cut() -> None:
    found = run(columns(30), keep_fraction=0.1, subset_documents=30)
    reasons = {found.explain(int(i)) for i in np.flatnonzero(~found.keep)}
    assert (
        "is number 4 of those that stand for its random subset of 30 documents, the first 3 are kept"
        in reasons
    )


def test_bad_params_are_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1"):
        run(columns(5), keep_fraction=-0.5)
    for size in (1, 20_001):
        with pytest.raises(InputError, match=rf"subset_documents must lie in 2\.\.20000 .*, got {size}"):
            run(columns(5), subset_documents=size)
