"""What holds across methods: budgets, copies, shares out of range. Each selector has a line here."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import pytest

from tests.selectors.steps import STEPS
from tests.test_contracts import STATES, columns
from workbench.checks import Array, strings
from workbench.engine.select import decide
from workbench.errors import InputError, WorkbenchError
from workbench.recipe.model import Step
from workbench.recipe.schema import parse_step
from workbench.selectors import SELECTORS
from workbench.selectors.base import Selection

N_COPIES = 6


@dataclass(frozen=True)
class Traits:
    """What is known of a selector.

    Attributes
    ----------
    copies
        Of a document that stands there several times: "one" (or none) is kept, "together" (all or none), "cut" (they
        tie, so a budget may end among them), "any" (each by its own draw or place).
    budget
        The param that says which share is kept (or dropped), None where there is none.
    exact
        Whether that share is met to a document.
    least
        Whether some of each cluster is kept, so that a budget of nothing is refused.
    """

    copies: Literal["one", "together", "cut", "any"]
    budget: str | None = None
    exact: bool = False
    least: bool = False


TRAITS: dict[str, Traits] = {
    "band": Traits("together"),
    "category": Traits("together"),
    "vote": Traits("together"),
    "gopher_quality": Traits("together"),
    "gopher_repetition": Traits("together"),
    "c4": Traits("together"),
    "fineweb": Traits("together"),
    "redpajama": Traits("together"),
    "refinedweb": Traits("together"),
    "gneissweb": Traits("together"),
    "random": Traits("any", "fraction"),
    "random_budget": Traits("any", "keep_fraction", exact=True),
    "rank": Traits("cut", "keep_fraction", exact=True),
    "rank_average": Traits("cut", "keep_fraction", exact=True),
    "brevity": Traits("cut", "drop_fraction"),
    "stratified": Traits("any", "keep_fraction", exact=True),
    "source_budget": Traits("any", "keep_fraction", exact=True),
    "exact": Traits("one"),
    "minhash": Traits("one"),
    "spans": Traits("one"),
    "substring": Traits("one"),
    "semdedup": Traits("one", "keep_fraction", exact=True),
    "d4": Traits("one"),
    "prototypes": Traits("cut", "keep_fraction", exact=True),
    "dbp": Traits("cut", "keep_fraction", exact=True, least=True),
    "scip": Traits("cut", "keep_fraction", exact=True),
    "kmq": Traits("any", "keep_fraction"),
    "car": Traits("cut"),
    "ccs": Traits("any", "keep_fraction", exact=True),
    "sensitivity": Traits("any"),
    "density": Traits("any", "keep_fraction", exact=True),
    "dpp": Traits("one", "keep_fraction"),
    "tagcos": Traits("any", "keep_fraction"),
    "repeat": Traits("any"),
    "crest": Traits("any", "keep_fraction", exact=True),
    "dsir": Traits("any", "keep_fraction", exact=True),
    "rds": Traits("cut", "keep_fraction", exact=True),
    "snp": Traits("any", "keep_fraction"),
    "dfn": Traits("cut", "keep_fraction", exact=True),
    "dsir_targets": Traits("any", "keep_fraction", exact=True),
    "cit": Traits("together"),
}


def test_every_selector_has_its_line() -> None:
    assert set(TRAITS) == set(SELECTORS)


def run(name: str, read: dict[str, Array], **settings: Any) -> Selection:
    """What a step decides as the engine asks it, fitted on the columns that it is given; the first one by default."""
    step = parse_step({"select": name, **(settings or STEPS[name][0])})
    spec, params = step.spec, step.params
    chosen = {need: read[need] for need in ("doc_id", *step.needs)}
    if spec.resolve is not None:
        params = spec.resolve(chosen, params, np.ones(len(read["doc_id"])))
    rows = np.ones(len(read["doc_id"]), dtype=bool)
    for column in chosen.values():
        if column.dtype.kind == "f":
            rows &= np.isfinite(column if column.ndim == 1 else column.sum(axis=1))
    fitted = {need: column[rows] for need, column in chosen.items()}
    state = {**STATES.get(spec.state_of or "", {}), **spec.prepare(fitted, params, 3)}
    return decide(Step(name, params), chosen, state, 3)


def with_copies(row: int) -> tuple[dict[str, Array], Array]:
    """The columns with one document there several times under other ids, and where the copies stand."""
    base = columns()
    n = len(base["doc_id"])
    rows = np.r_[np.arange(n), np.full(N_COPIES - 1, row)]
    read = {name: column[rows] for name, column in base.items()}
    read["doc_id"] = strings([*base["doc_id"].tolist(), *(f"copy-{i}" for i in range(N_COPIES - 1))])
    return read, np.r_[row, np.arange(n, n + N_COPIES - 1)]


@pytest.mark.parametrize("name", SELECTORS)
def test_copies_are_kept_as_the_method_says(name: str) -> None:
    for row in (7, 100, 181):
        read, places = with_copies(row)
        kept = int(run(name, read).keep[places].sum())
        if TRAITS[name].copies == "one":
            assert kept <= 1
        elif TRAITS[name].copies == "together":
            assert kept in (0, N_COPIES)


@pytest.mark.parametrize("name", [name for name, traits in TRAITS.items() if traits.copies == "cut"])
def test_of_copies_that_tie_at_a_budget_those_with_the_smaller_id_are_kept(name: str) -> None:
    for row in (7, 100, 181):
        read, places = with_copies(row)
        keep = run(name, read).keep[places]
        by_id = np.argsort(read["doc_id"][places].astype(str))
        ordered = keep[by_id].tolist()
        assert ordered == sorted(ordered, reverse=True)


WITH_BUDGET = [(name, traits.budget) for name, traits in TRAITS.items() if traits.budget is not None]


def settings_of(name: str) -> dict[str, Any]:
    """The last step of the selector, cutting documents, and with no other limit in the way of its budget."""
    free = {"unit": "documents", "order_fraction": 1.0, "hard_fraction": 0.0, "max_share": 1.0}
    known = {field.name for field in fields(SELECTORS[name].params)}
    return {**STEPS[name][-1], **{param: value for param, value in free.items() if param in known}}


@pytest.mark.parametrize(("name", "budget"), WITH_BUDGET)
def test_a_budget_of_everything_drops_nothing_and_of_nothing_keeps_nothing(name: str, budget: str) -> None:
    read = scored(name)
    everything, nothing = (0.0, 1.0) if budget.startswith("drop") else (1.0, 0.0)
    if TRAITS[name].exact:
        assert run(name, read, **{**settings_of(name), budget: everything}).keep.all()
    if TRAITS[name].least:
        with pytest.raises(InputError, match="raise keep_fraction"):
            run(name, read, **{**settings_of(name), budget: nothing})
    else:
        assert not run(name, read, **{**settings_of(name), budget: nothing}).keep.any()


def scored(name: str) -> dict[str, Array]:
    """The columns of those documents for which all that the selector reads is defined."""
    rows = np.ones(len(columns()["doc_id"]), dtype=bool)
    for need in parse_step({"select": name, **settings_of(name)}).needs:
        if columns()[need].dtype.kind == "f" and columns()[need].ndim == 1:
            rows &= np.isfinite(columns()[need])
    return {need: column[rows] for need, column in columns().items()}


@pytest.mark.parametrize("name", [name for name, traits in TRAITS.items() if traits.exact])
@pytest.mark.parametrize("n_kept", [20, 50, 99])
def test_a_share_is_met_to_a_document(name: str, n_kept: int) -> None:
    read = scored(name)
    share = n_kept / len(read["doc_id"])
    assert run(name, read, **{**settings_of(name), "keep_fraction": share}).keep.sum() == n_kept


SHARES = [
    (name, field.name)
    for name, spec in SELECTORS.items()
    for field in fields(spec.params)
    # A filter's limit may lie anywhere: beyond what a signal can be it turns the rule off.
    if field.name.endswith("fraction") and TRAITS[name].copies != "together"
]


@pytest.mark.parametrize(("name", "param"), SHARES)
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_share_outside_0_to_1_is_a_sentence(name: str, param: str, value: float) -> None:
    step = parse_step({"select": name, **STEPS[name][-1]})
    spec, params = step.spec, replace(step.params, **{param: value})
    read = {need: columns()[need] for need in ("doc_id", *spec.needs(params))}
    with pytest.raises(WorkbenchError) as caught:  # noqa: PT012 - wherever it is looked at first
        if spec.resolve is not None:
            params = spec.resolve(read, params, np.ones(len(read["doc_id"])))
        state = {**STATES.get(spec.state_of or "", {}), **spec.prepare(read, params, 3)}
        decide(Step(name, params), read, state, 3)
    assert param in str(caught.value)
    assert "\n" not in str(caught.value)
