"""Quotas by stratum, and the exact random share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.random_budget import SPEC as RANDOM_BUDGET
from workbench.selectors.random_budget import RandomBudgetParams
from workbench.selectors.stratified import SPEC, StratifiedParams, quotas


def columns(sizes: dict[str, int], weight: dict[str, float] | None = None) -> dict[str, Any]:
    sources = [name for name, size in sizes.items() for _ in range(size)]
    return {
        "doc_id": strings(f"d{i:04d}" for i in range(len(sources))),
        "source": strings(sources),
        "language": strings("en" if i % 3 else "" for i in range(len(sources))),
        "n_tokens": np.arange(1.0, len(sources) + 1, dtype=np.float32),
        DESIGN_WEIGHT: np.array([(weight or {}).get(source, 1.0) for source in sources]),
    }


def run(table: dict[str, Any], seed: int = 0, **params: Any) -> Selection:
    return SPEC.run(table, StratifiedParams(**params), {}, seed)


def kept(table: dict[str, Any], selection: Selection, by: str = "source") -> dict[str, int]:
    names, counts = np.unique(table[by][selection.keep], return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


SIZES = {"a": 50, "b": 30, "c": 20}


def test_proportional_quotas_are_by_largest_remainder() -> None:
    table = columns(SIZES)
    assert kept(table, run(table, keep_fraction=0.07)) == {"a": 4, "b": 2, "c": 1}


def test_equal_quotas_give_what_a_small_stratum_lacks_to_the_others() -> None:
    table = columns(SIZES)
    assert kept(table, run(table, keep_fraction=0.3, quota="equal")) == {"a": 10, "b": 10, "c": 10}
    assert kept(table, run(table, keep_fraction=0.7, quota="equal")) == {"a": 25, "b": 25, "c": 20}
    assert kept(table, run(table, keep_fraction=0.9, quota="equal")) == {"a": 40, "b": 30, "c": 20}


def test_a_largest_share_is_held_and_the_rest_goes_to_the_others() -> None:
    table = columns(SIZES)
    # Of 40 no source may hold more than 16: the rest, 24, goes to b and c as 3 to 2.
    assert kept(table, run(table, keep_fraction=0.4, max_share=0.4)) == {"a": 16, "b": 14, "c": 10}
    # No three sources hold 40 where each may have 8; fewer are kept.
    assert kept(table, run(table, keep_fraction=0.4, max_share=0.2)) == {"a": 8, "b": 8, "c": 8}


@given(
    st.lists(st.integers(1, 90), min_size=1, max_size=9),
    st.floats(0, 1),
    st.sampled_from(["proportional", "equal"]),
)
def test_quotas_sum_to_the_share_and_never_exceed_a_stratum(sizes: list[int], share: float, how: Any) -> None:
    found = quotas(np.array(sizes, dtype=np.float64), StratifiedParams(share, quota=how))
    assert found.sum() == int(np.floor(share * sum(sizes) + 0.5 + 1e-9))
    assert (found <= sizes).all()
    if how == "proportional":
        exact = np.array(sizes) * found.sum() / sum(sizes)
        assert (np.abs(found - exact) < 1 + 1e-9).all()


def test_strata_of_a_score_are_ranges_of_equally_many_documents() -> None:
    table = columns(SIZES)
    keep = run(table, keep_fraction=0.2, by="score", score="n_tokens").keep
    assert np.add.reduceat(keep, np.arange(0, 100, 10)).tolist() == [2] * 10
    best = run(table, keep_fraction=0.2, by="score", n_bins=4, keep="highest").keep
    assert np.flatnonzero(best).tolist() == [*range(20, 25), *range(45, 50), *range(70, 75), *range(95, 100)]


def test_equal_scores_are_in_one_range() -> None:
    table = columns({"a": 12})
    table["n_tokens"] = np.array([1] * 9 + [2, 3, 4], dtype=np.float32)
    found = SPEC.scan(table, StratifiedParams(by="score", n_bins=4), {}, 0) if SPEC.scan else {}
    assert len(set(found["stratum"][:9].tolist())) == 1
    assert found["stratum"][9:].tolist() == [3, 3, 3]


def test_documents_without_a_language_are_a_stratum() -> None:
    table = columns(SIZES)
    selection = run(table, keep_fraction=0.5, by="language", quota="equal")
    assert kept(table, selection, "language") == {"": 25, "en": 25}
    dropped = int(np.flatnonzero(~selection.keep & (table["language"] == ""))[0])
    assert selection.explain(dropped) == (
        "its stratum (language none) has 34 documents and keeps 25 of them, it isn't among these (random first)"
    )


def test_documents_of_a_sample_count_for_the_corpus() -> None:
    # 50 x 10, 30 x 1 and 20 x 1 documents: 550, of which the half is 275.
    table = columns(SIZES, {"a": 10.0})
    assert kept(table, run(table, keep_fraction=0.5)) == {"a": 25, "b": 15, "c": 10}
    assert kept(table, run(table, keep_fraction=0.1, quota="equal")) == {"a": 2, "b": 18, "c": 18}


def test_what_small_strata_lose_by_rounding_goes_to_others() -> None:
    # 12 sources of 2 documents that stand for 10 each: of 240 a tenth is 24, 2 of each source, which no document fits.
    table = columns({f"s{i:02d}": 2 for i in range(12)}, {f"s{i:02d}": 10.0 for i in range(12)})
    assert kept(table, run(table, keep_fraction=0.1, quota="equal")) == {"s00": 1, "s01": 1}


def naive_first_of_each(
    strata: list[int], ranks: list[int], amounts: list[float], quota: list[int]
) -> list[int]:
    """Largest remainder as it is written down, for documents of any weight: a loop for each document that is given."""
    waiting: dict[int, list[int]] = {s: [] for s in range(len(quota))}
    for i in sorted(range(len(ranks)), key=lambda i: ranks[i]):
        waiting[strata[i]].append(i)
    left, chosen = list(map(float, quota)), []
    for s, rows in waiting.items():
        while rows and amounts[rows[0]] <= left[s] + 1e-9:
            left[s] -= amounts[rows[0]]
            chosen.append(rows.pop(0))
    may = [s for s, rows in waiting.items() if rows]
    used = sum(amounts[i] for i in chosen)
    while may:
        best = max(may, key=lambda s: (round(left[s] / amounts[waiting[s][0]], 9), -s))
        row = waiting[best][0]
        if used + amounts[row] / 2 > sum(quota) + 1e-9:
            break
        used += amounts[row]
        chosen.append(row)
        may.remove(best)
    return sorted(chosen)


@given(st.data())
def test_weighted_documents_fill_the_quotas_as_a_plain_loop_does(data: st.DataObject) -> None:
    n_strata = data.draw(st.integers(1, 5))
    strata = data.draw(st.lists(st.integers(0, n_strata - 1), min_size=1, max_size=25))
    weight = data.draw(st.lists(st.sampled_from([1.0, 2.5, 7.0, 16.0]), min_size=n_strata, max_size=n_strata))
    table = columns({})
    table = {**table, "doc_id": strings(f"d{i:02d}" for i in range(len(strata)))}
    table["source"] = strings(f"s{s}" for s in strata)
    table[DESIGN_WEIGHT] = np.array([weight[s] for s in strata])
    params = StratifiedParams(
        data.draw(st.floats(0, 1)), quota=data.draw(st.sampled_from(["proportional", "equal"]))
    )
    assert SPEC.scan is not None
    found = SPEC.scan(table, params, {}, 0)
    keep = SPEC.select({**table, **found}, params, {}, 0).keep
    sizes = np.bincount(found["stratum"], weights=table[DESIGN_WEIGHT])
    quota = quotas(sizes, params)
    loop = naive_first_of_each(
        found["stratum"].tolist(), found["rank"].tolist(), table[DESIGN_WEIGHT].tolist(), quota.tolist()
    )
    assert np.flatnonzero(keep).tolist() == loop
    # what the loop promises: each stratum within a document of its quota, all together within half of one
    kept_of = np.bincount(found["stratum"], weights=table[DESIGN_WEIGHT] * keep)
    largest = table[DESIGN_WEIGHT].max()
    assert (np.abs(kept_of - np.minimum(quota, sizes)) <= largest).all()
    assert abs(kept_of.sum() - params.keep_fraction * sizes.sum()) <= largest / 2 + 1.5


def test_every_document_of_a_stratum_has_the_same_chance() -> None:
    table = columns({"a": 20, "b": 10})
    counts = sum(run(table, seed, keep_fraction=0.3).keep.astype(int) for seed in range(400))
    expected = np.full(30, 400 * 0.3)
    # 30 counts of variance 400 * 0.3 * 0.7: the statistic has about 28 degrees of freedom, and 60 is beyond 1 in 1,000.
    assert (((counts - expected) ** 2) / (400 * 0.3 * 0.7)).sum() < 60


def test_a_larger_share_keeps_what_a_smaller_one_keeps_of_a_stratum() -> None:
    table = columns(SIZES)
    small, large = (run(table, keep_fraction=f).keep for f in (0.2, 0.5))
    assert (large | ~small).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"keep_fraction": 1.2}, r"keep_fraction must lie in 0\.\.1"),
        ({"max_share": 0.0}, "max_share must be at least"),
        ({"max_share": 40.0}, r"max_share must lie in 0\.\.1"),
        ({"n_bins": 0}, "n_bins must be at least 1"),
    ],
)
def test_what_makes_no_quota_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(columns(SIZES), **given)


def test_only_what_is_used_is_read() -> None:
    assert SPEC.needs(StratifiedParams()) == (DESIGN_WEIGHT, "source")
    assert SPEC.needs(StratifiedParams(by="score", score="eflaw", keep="lowest")) == (DESIGN_WEIGHT, "eflaw")
    assert SPEC.needs(StratifiedParams(by="language", keep="highest")) == (
        DESIGN_WEIGHT,
        "language",
        "n_tokens",
    )


# ---- an exact random share ---------------------------------------------------------------------------------------


def draw(table: dict[str, Any], share: float, unit: Any, seed: int = 0) -> Selection:
    return RANDOM_BUDGET.run(table, RandomBudgetParams(share, unit), {}, seed)


def test_a_random_share_of_documents_is_exact_and_nested() -> None:
    table = columns(SIZES)
    keeps = [draw(table, share, "documents").keep for share in (0.0, 0.13, 0.5, 1.0)]
    assert [int(keep.sum()) for keep in keeps] == [0, 13, 50, 100]
    assert (keeps[2] | ~keeps[1]).all()


def test_a_random_share_of_tokens_is_not_exceeded_and_nearly_met() -> None:
    table = columns(SIZES)
    for seed in range(20):
        tokens = table["n_tokens"][draw(table, 0.5, "tokens", seed).keep].sum()
        assert 2525 - 100 < tokens <= 2525


def test_every_document_is_drawn_equally_often() -> None:
    table = columns({"a": 30})
    counts = sum(draw(table, 0.3, "documents", seed).keep.astype(int) for seed in range(400))
    assert (((counts - 120) ** 2) / (400 * 0.3 * 0.7)).sum() < 60


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1"):
        draw(columns(SIZES), 50, "documents")


def test_a_reason_names_draw_and_place() -> None:
    selection = draw(columns({"a": 4}), 0.25, "documents")
    i = int(np.flatnonzero(~selection.keep)[0])
    assert selection.explain(i).startswith("the random draw 0.")
    assert selection.explain(i).endswith(" of 4, the first 1 are kept")
