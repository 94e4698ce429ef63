"""A budget with floors, caps and repeats by source, against twins that take one document after the other."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.selectors.test_rank_average import columns as scored_columns
from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.source_budget import SPEC, SourceBudgetParams


def columns(sources: list[str], score: Any, **more: Any) -> dict[str, Any]:
    return {**scored_columns(len(sources), score=score), "source": strings(sources), **more}


def run(given: dict[str, Any], **params: Any) -> Selection:
    return SPEC.run(given, SourceBudgetParams(**{"scores": ("score",), **params}), {}, 0)


def twin(given: dict[str, Any], params: SourceBudgetParams) -> set[int]:
    """The rows that are kept, in exact fractions; the score orders without ties."""
    rule = {
        name: (Fraction(floor), Fraction(cap), Fraction(repeat))
        for name, floor, cap, repeat in zip(
            params.sources, params.floors, params.caps, params.repeats, strict=True
        )
    }
    sources = [str(name) for name in given["source"]]
    rules = [rule.get(name, (Fraction(0), Fraction(1), Fraction(1))) for name in sources]
    amount = [
        Fraction(float(given[DESIGN_WEIGHT][i]))
        * rules[i][2]
        * (Fraction(float(given["n_tokens"][i])) if params.unit == "tokens" else 1)
        for i in range(len(sources))
    ]
    budget = Fraction(params.keep_fraction) * sum(amount)
    order = sorted(range(len(sources)), key=lambda i: -given["score"][i])
    lists = {name: [i for i in order if sources[i] == name] for name in set(sources)}
    floors, rest = [], []
    for rows in lists.values():
        size, before = sum(amount[i] for i in rows), Fraction(0)
        for i in rows:
            if rules[i][1] < 1 and before + amount[i] > rules[i][1] * budget:
                break
            share = (before + amount[i] / 2) / size if size else Fraction(0)
            place = order.index(i)
            key = (place,) if params.fill == "best" else (share, place)
            (floors if before < rules[i][0] * budget else rest).append((key, i))
            before += amount[i]
    kept, used = set(), Fraction(0)
    for _, i in (*sorted(floors), *sorted(rest)):
        if used + (amount[i] / 2 if params.unit == "documents" else amount[i]) > budget:
            break
        kept.add(i)
        used += amount[i]
    return kept


@pytest.mark.parametrize("fill", ["best", "proportional"])
@pytest.mark.parametrize("unit", ["documents", "tokens"])
def test_a_budget_is_filled_as_one_document_after_the_other_fills_it(fill: str, unit: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        n = int(rng.integers(1, 40))
        given = columns(
            rng.choice(["a", "b", "<c>", "d"], n).tolist(),
            rng.permutation(n),
            n_tokens=rng.integers(0, 9, n).astype(np.float32),
        )
        given[DESIGN_WEIGHT] = rng.choice([1.0, 2.0, 4.0], n)
        # Dyadic numbers, so that floats and fractions agree.
        floors = rng.integers(0, 6, 2) / 16
        params = SourceBudgetParams(
            keep_fraction=float(rng.integers(0, 17) / 16),
            unit=unit,  # type: ignore[arg-type]  # one of Unit's values
            scores=("score",),
            fill=fill,  # type: ignore[arg-type]  # one of its values
            sources=("<c>", "a"),
            floors=tuple(floors.tolist()),
            caps=tuple((floors + rng.integers(0, 10, 2) / 16).tolist()),
            repeats=tuple(rng.choice([0.5, 1.0, 3.0], 2).tolist()),
        )
        selection = SPEC.run(given, params, {}, 0)
        assert set(np.flatnonzero(selection.keep).tolist()) == twin(given, params)


def test_the_best_set_that_the_rules_allow_is_kept() -> None:
    """Of all sets with as many documents that meet floors and caps, none has a better sum of ranks."""
    rng = np.random.default_rng(1)
    for _ in range(30):
        n, n_kept = 9, int(rng.integers(3, 7))
        sources = [*"abc", *rng.choice(list("abc"), n - 3).tolist()]
        score = rng.permutation(n)
        floor, cap = 1 / n_kept + 1e-6, max(0.5, 2.5 / n_kept)
        given = columns(sources, score)
        keep = run(
            given, keep_fraction=n_kept / n, sources=("a", "b"), floors=(floor, 0.0), caps=(1.0, cap)
        ).keep
        at_least = min(2, sources.count("a"))
        allowed = [
            sum(score[list(rows)])
            for rows in itertools.combinations(range(n), n_kept)
            if sum(sources[i] == "a" for i in rows) >= at_least
            and sum(sources[i] == "b" for i in rows) <= math.floor(cap * n_kept + 1e-9)
        ]
        if allowed:
            assert (keep.sum(), score[keep].sum()) == (n_kept, max(allowed))


def test_proportional_filling_holds_the_mixture_to_a_document() -> None:
    sources = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    keep = run(columns(sources, np.arange(100)), keep_fraction=0.5, fill="proportional").keep
    assert {name: int(keep[np.array(sources) == name].sum()) for name in "abc"} == {"a": 30, "b": 15, "c": 5}
    assert not keep[:30].any()


def test_what_a_cap_leaves_goes_to_the_others_and_caps_that_leave_too_little_keep_less() -> None:
    sources = ["a"] * 60 + ["b"] * 40
    given = columns(sources, np.arange(100)[::-1])
    keep = run(given, keep_fraction=0.5, sources=("a",), caps=(0.2,)).keep
    assert (keep[:60].sum(), keep[60:].sum()) == (10, 40)
    keep = run(given, keep_fraction=0.5, sources=("a", "b"), caps=(0.2, 0.1)).keep
    assert (keep[:60].sum(), keep[60:].sum()) == (10, 5)


def test_a_floor_that_its_source_can_not_fill_keeps_all_of_it() -> None:
    sources = ["a"] * 95 + ["b"] * 5
    keep = run(columns(sources, np.arange(100)[::-1]), keep_fraction=0.5, sources=("b",), floors=(0.5,)).keep
    assert (keep[:95].sum(), keep[95:].sum()) == (45, 5)


def test_repeats_are_weights_and_count_against_the_budget() -> None:
    sources = ["a"] * 10 + ["b"] * 10
    selection = run(
        columns(sources, np.r_[np.arange(10) + 10, np.arange(10)]),
        keep_fraction=0.5,
        sources=("a",),
        repeats=(3.0,),
    )
    assert selection.weight is not None
    assert selection.weight.tolist() == [3.0] * 10 + [1.0] * 10
    # Half of 3 x 10 + 10 is 20: seven documents of a make 21, which is nearest.
    assert (selection.keep[:10].sum(), selection.keep[10:].sum()) == (7, 0)


def test_the_draw_prefers_the_best_the_more_the_lower_its_temperature() -> None:
    given = columns(["a"] * 400, np.arange(400))
    mean = [
        np.arange(400)[run(given, keep_fraction=0.25, draw="gumbel", temperature=t).keep].mean()
        for t in (1e-4, 0.2, 100.0)
    ]
    top = run(given, keep_fraction=0.25).keep
    assert mean[0] == pytest.approx(np.arange(400)[top].mean(), abs=1)
    assert mean[0] > mean[1] + 20 > mean[2] + 40


def test_without_scores_the_order_is_random_and_depends_on_ids_alone() -> None:
    given = columns(["a", "b"] * 50, np.arange(100))
    keep = run(given, scores=(), keep_fraction=0.3).keep
    turned = {name: values[::-1] for name, values in given.items()}
    assert keep.sum() == 30
    assert run(turned, scores=(), keep_fraction=0.3).keep.tolist() == keep[::-1].tolist()


def test_reasons_name_the_cap_or_the_budget() -> None:
    selection = run(
        columns(["<b>a</b>"] * 6 + ["b"] * 4, np.arange(10)[::-1]),
        keep_fraction=0.5,
        sources=("<b>a</b>",),
        caps=(0.4,),
    )
    assert selection.keep.tolist() == [True] * 2 + [False] * 4 + [True] * 3 + [False]
    assert selection.explain(2) == "'<b>a</b>' has its cap, 0.4 of the budget, without it"
    assert selection.explain(9) == "the budget of 0.5 of all documents is full; it has place 10 of 10"


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"sources": ("a", "a")}, "names 'a' twice"),
        ({"sources": ("a",), "floors": (0.1, 0.2)}, "floors must be one a source, got 2 for 1"),
        ({"sources": ("a",), "caps": (20.0,)}, r"caps must lie in 0\.\.1, got 20; give a fraction"),
        ({"sources": ("a",), "repeats": (0.0,)}, "repeats must be above 0, got 0; to drop a source"),
        ({"sources": ("a", "b"), "floors": (0.6, 0.5)}, r"the floors make 1\.1 of the budget together"),
        ({"sources": ("a",), "floors": (0.6,), "caps": (0.5,)}, "the floor of 'a' is above its cap"),
        ({"draw": "gumbel", "temperature": 0.0}, "temperature must be above 0, got 0"),
        ({"scores": ("score", "score")}, "scores names score twice"),
    ],
)
def test_rules_that_make_no_sense_are_refused(params: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        run(columns(["a", "b", "b"], np.arange(3)), **params)


def test_no_documents_are_no_error() -> None:
    assert run(columns([], [])).keep.tolist() == []
