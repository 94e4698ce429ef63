"""Near-copies among the documents that reach a step: what each cut keeps, and the pairs on both sides. No widget."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from widgets import bands
from widgets.state import BenchState
from workbench.checks import BoolArray, FloatArray, IntArray
from workbench.engine.fitting import complete
from workbench.engine.select import decide
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.plots.axis import significant
from workbench.recipe.model import Recipe, Step
from workbench.recipe.schema import parse_step
from workbench.scores.minhash import MinhashParams as BandParams
from workbench.scores.minhash import shape
from workbench.selectors.base import Columns

N_PLACES = 1000
"""Places on the axis of a curve, from 0 at the left."""

_N_POINTS = 201
_SLACK = 1e-9  # as select_minhash has it: similarities are shares of 256


@dataclass(frozen=True)
class Method:
    """A step that drops near-copies, and the param that says how near.

    Attributes
    ----------
    first
        The param where the recipe has no such step.
    needs
        Scores without which there is no curve.
    """

    select: str
    title: str
    param: str
    first: float
    needs: tuple[str, ...]
    about: str

    def value_at(self, place: int) -> float:
        """The param at a place, 0..N_PLACES; small epsilons have more room."""
        share = place / N_PLACES
        return significant(share**2, 3) if self.param == "epsilon" else round(share, 3)

    def place_of(self, value: float) -> float:
        """Where a param lies, in 0..1."""
        return float(np.sqrt(value)) if self.param == "epsilon" else value

    def is_copy(self, similarity: FloatArray, value: float) -> BoolArray:
        """Which pairs the param makes copies, bool."""
        found = similarity > 1.0 - value if self.param == "epsilon" else similarity >= value - _SLACK
        return np.asarray(found, dtype=bool)


METHODS = {
    "semdedup": Method(
        "semdedup", "SemDeDup: by meaning", "epsilon", 0.05, ("embedding",),
        "A document goes if its cosine similarity to an earlier one of its cluster is above 1 - epsilon.",
    ),
    "minhash": Method(
        "minhash", "MinHash: by words", "min_similarity", 0.75, ("minhash_bands", "minhash_signature"),
        "Two documents that share a band are candidates; those whose Jaccard similarity, estimated by the signature, "
        "is at least this are copies, chains included. At 0 a shared band is enough.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Links:
    """What a method's scan found among the documents that reach its step.

    Attributes
    ----------
    rows
        Their rows in the sample, int64 (m,).
    twin
        Of each the place in `rows` of the document that it is nearest to, int64 (m,); its own where it has none.
    similarity
        To that one, float64 (m,); -inf where there is none.
    keep
        Bool (m,): what the step keeps as it stands.
    index
        The step's place in the recipe, None where the recipe has none.
    value
        The param as it stands, or the first one.
    ordered
        The similarities that there are, the largest first.
    """

    method: Method
    rows: IntArray
    twin: IntArray
    similarity: FloatArray
    keep: BoolArray
    index: int | None
    value: float
    ordered: FloatArray

    def n_kept(self, value: float) -> int:
        """How many of the documents the step would keep with the param at `value`.

        A copy by SemDeDup is a document that goes. By MinHash the links are a forest, each of which joins two sets of
        copies, and each set keeps one.
        """
        return len(self.rows) - int(np.count_nonzero(self.method.is_copy(self.ordered, value)))

    def curve(self) -> list[tuple[float, float]]:
        """[place in 0..1, share of the documents that is kept] from left to right."""
        places = np.linspace(0, N_PLACES, _N_POINTS).astype(int)
        n = max(len(self.rows), 1)
        return [(p / N_PLACES, self.n_kept(self.method.value_at(int(p))) / n) for p in places]

    def pairs(self) -> tuple[IntArray, IntArray]:
        """The pairs that are copies and those that aren't, as places in `rows`, each from the cut outward."""
        linked = np.flatnonzero(np.isfinite(self.similarity))
        order = linked[np.argsort(-self.similarity[linked], kind="stable")]
        n_copies = int(np.count_nonzero(self.method.is_copy(self.similarity[order], self.value)))
        return order[:n_copies][::-1], order[n_copies:]


def step_in(recipe: Recipe, method: Method) -> int | None:
    """The first step of that method that is on, None if there is none."""
    places = (i for i, step in enumerate(recipe.steps) if step.select == method.select and not step.off)
    return next(places, None)


def with_cut(recipe: Recipe, method: Method, value: float) -> Recipe:
    """The recipe with the step's param at `value`; without such a step it gets one at its end."""
    index = step_in(recipe, method)
    if index is None:
        return replace(recipe, steps=(*recipe.steps, _first_step(method, value)))
    step = recipe.steps[index]
    free = {"keep_fraction": None} if hasattr(step.params, "keep_fraction") else {}
    params = replace(step.params, **{method.param: value}, **free)
    return bands.with_step(recipe, index, replace(step, params=params))


def _first_step(method: Method, value: float) -> Step:
    return parse_step({"select": method.select, method.param: value})


def reaching(state: BenchState, index: int | None) -> IntArray:
    """The rows that reach the step at that place of the recipe, or what it keeps in all."""
    step = state.dropped_by
    return np.flatnonzero((step < 0) if index is None else (step < 0) | (step >= index))


def lacks(state: BenchState, method: Method) -> list[str]:
    """The scores that the method reads and that aren't computed."""
    return [name for name in method.needs if name not in state.loaded.scores]


def is_found(state: BenchState, method: Method) -> bool:
    """Whether `links` would be quick, since the scan was made already."""
    index, scanned, _ = _asked(state.recipe, method)
    return state.fits.knows(state.loaded, scanned, state.recipe.seed, reaching(state, index))


def _asked(recipe: Recipe, method: Method) -> tuple[int | None, Step, float]:
    """The place of the method's step, the step whose scan has what a curve needs, and the param as it stands."""
    index = step_in(recipe, method)
    step = _first_step(method, method.first) if index is None else recipe.steps[index]
    value = float(getattr(step.params, method.param))
    # With no verification asked for, the scan wouldn't estimate similarities, and a share has a cut of its own.
    ways = {"min_similarity": max(value, _SLACK)} if method.select == "minhash" else {"keep_fraction": None}
    return index, replace(step, params=replace(step.params, **ways)), value


def links(state: BenchState, method: Method) -> Links:
    """What the method's scan finds; it is the one that the engine made where the recipe has the step.

    Raises
    ------
    InputError
        If a score that the method reads isn't computed.
    """
    table, recipe = state.loaded, state.recipe
    if lacking := lacks(state, method):
        raise InputError(f"{method.title} needs {' and '.join(lacking)}; compute it on the Load tab")
    index, scanned, value = _asked(recipe, method)
    fitted = state.fits.state(table, scanned, recipe.seed)
    alive = reaching(state, index)
    columns = _rows_of(table.columns(scanned.needs), alive)
    scan = state.fits.scan(table, scanned, fitted, recipe.seed, alive)
    keep = decide(scanned, columns, fitted, recipe.seed, scan).keep
    full = complete(scanned, columns)
    found = scan(_rows_of(columns, np.flatnonzero(full)))
    rows = alive[full]
    similarity, twin = _nearest(found)
    ordered = np.sort(similarity[np.isfinite(similarity)])[::-1]
    return Links(method, rows, twin, similarity, keep[full], index, value, ordered)


def _rows_of(columns: Columns, rows: IntArray) -> Columns:
    """The columns at these rows; not copied where these are all, since vectors are large."""
    if len(rows) == len(columns["doc_id"]):
        return columns
    return {name: column[rows] for name, column in columns.items()}


def _nearest(found: Columns) -> tuple[FloatArray, IntArray]:
    """Of each document its similarity to the nearest, and the place of that one (its own where there is none)."""
    places = np.arange(len(next(iter(found.values()))))
    if "parent" in found:
        has = found["parent"] >= 0
        return np.where(has, found["link"], -np.inf), np.where(has, found["parent"], places)
    return np.where(found["twin"] != places, found["max_similarity"], -np.inf), found["twin"]


def candidate_curve(table: Table) -> list[tuple[float, float]]:
    """[similarity, share of the pairs with it that share a band], 1 - (1 - s^rows)^bands; [] where that isn't known."""
    definition = table.definitions.get("minhash_bands")
    if definition is None:
        return []
    n_bands, n_rows, _ = shape(BandParams(**definition["params"]))
    similarity = np.linspace(0, 1, _N_POINTS)
    chance = 1 - (1 - similarity**n_rows) ** n_bands
    return [(float(s), float(p)) for s, p in zip(similarity, chance, strict=True)]
