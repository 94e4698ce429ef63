"""The cube says at every place of a handle what moving the handle there keeps."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from widgets import bands
from widgets.cube import HEIGHTS, Cube, make_cube, pack_cube
from widgets.ladder import N_PLACES, Side
from widgets.state import BenchState
from workbench.checks import Array
from workbench.corpus import Sample
from workbench.corpus.design import Design, Stratum
from workbench.engine.select import select
from workbench.engine.table import Table
from workbench.models.load import Models
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe

SCORES = ("n_tokens", "compression_ratio", "perplexity")
SIDES: tuple[Side, Side] = ("low", "high")


def random_table(rng: np.random.Generator, n: int) -> Table:
    """Scores with holes, infinite values, ties; sources of unequal rate."""
    sources = [f"s{i}" for i in np.sort(rng.integers(0, 4, n))]
    frame = pl.DataFrame({"doc_id": [f"d{i}" for i in range(n)], "text": ["x"] * n, "source": sources})
    strata = {}
    for place, source in enumerate(sorted(set(sources))):
        size = sources.count(source)
        strata[source] = Stratum(size * (place + 1), size, 9 * size, 1 / (place + 1))
    values = {
        "n_tokens": rng.integers(1, 40, n).astype(np.float32),
        "compression_ratio": rng.normal(size=n).astype(np.float32),
        "perplexity": np.exp(2 * rng.normal(size=n)).astype(np.float32),
    }
    for column in values.values():
        column[rng.random(n) < rng.choice([0, 0.3])] = np.nan
        column[rng.random(n) < rng.choice([0, 0.1])] = np.inf
    # An axis needs one finite value.
    for column in values.values():
        column[0] = 3
    return Table(Sample(frame, Design("source", 0, strata, "0" * 64, 0)), Models(), values)


def random_recipe(rng: np.random.Generator, state: BenchState) -> Recipe:
    """Bands with either side open, off or on, in any order."""
    steps: list[dict[str, Any]] = []
    for score in rng.permutation(SCORES):
        if rng.random() < 0.3:
            continue
        step: dict[str, Any] = {"select": "band", "score": str(score)}
        step["unscored"] = str(rng.choice(["keep", "drop"]))
        places = np.sort(rng.integers(0, N_PLACES, 2))
        for side, place in zip(SIDES, places, strict=True):
            if rng.random() < 0.6:
                step[side] = state.axis(str(score)).snapped(int(place))
        if rng.random() < 0.2:
            step["off"] = True
        steps.append(step)
    return parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": steps})


def cube_of(state: BenchState, score: str, side: Side) -> Cube:
    handle = state.thresholds.handle(score, side)
    return make_cube(
        handle, state.groups, state.bins, list(state.bins.charts), range(len(state.groups.names))
    )


def check_against_the_engine(state: BenchState, score: str, side: Side, places: list[int]) -> None:
    cube, before = cube_of(state, score, side), state.recipe
    tokens = state.groups.tokens
    assert tokens is not None
    for place in places:
        state.thresholds.drag(score, side, place)
        keep = select(state.recipe, state.loaded).keep
        assert cube.documents[place] == keep.sum()
        assert cube.tokens is not None
        assert cube.tokens[place] == tokens[keep].sum()
        assert cube.weight[place] == pytest.approx(state.loaded.weights[keep].sum())
        for i, name in enumerate(state.groups.names):
            assert cube.sources[i, place] == (keep & (state.loaded.source == name)).sum()
        for other, counts in state.bins.counts(np.flatnonzero(keep)).items():
            top = max(1, int(state.chart(other).counts.max()))
            drawn = (cube.heights[other][:, place] / HEIGHTS) ** 2
            # Half a step of 255 in the root is at most a step of 255 in the height; a rare bar is drawn one step high.
            assert np.abs(drawn - counts / top).max() <= 1 / HEIGHTS
            assert ((drawn > 0) == (counts > 0)).all()
        state.edit(before)


@given(
    st.integers(0, 2**32 - 1), st.sampled_from(SCORES), st.sampled_from(SIDES), st.booleans(), st.booleans()
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_place_of_a_cube_is_what_the_engine_keeps_there(
    seed: int, score: str, side: Side, as_quantile: bool, on_another_scale: bool
) -> None:
    rng = np.random.default_rng(seed)
    state = BenchState()
    state.load(random_table(rng, int(rng.integers(1, 50))))
    if on_another_scale:
        state.scale(score, state.chart(score).kinds[-1])
    state.edit(random_recipe(rng, state))
    if as_quantile:
        state.thresholds.show_quantiles(score, True)
    places = [0, 1, N_PLACES - 2, N_PLACES - 1, *rng.integers(0, N_PLACES, 4).tolist()]
    check_against_the_engine(state, score, side, places)


def test_steps_that_compare_documents_stay_as_they_decided_last(state: BenchState, table: Table) -> None:
    recipe = parse_recipe(
        {"format": "selection-recipe/1", "seed": 0, "steps": [
            {"select": "band", "score": "n_tokens", "low": 100, "unscored": "drop"},
            {"select": "random_budget", "keep_fraction": 0.5}]}
    )  # fmt: skip
    state.edit(recipe)
    assert state.outcome is not None
    kept_by_budget = state.outcome.kept_by(1)
    assert kept_by_budget[:9].all(), "the budget never saw what the band dropped"
    cube = cube_of(state, "n_tokens", "low")
    place = round(state.axis("n_tokens").position(100) * (N_PLACES - 1))
    assert cube.documents[place] == state.count().kept
    assert cube.documents[0] == kept_by_budget.sum()


def unpack(about: dict[str, Any], raw: bytes) -> dict[str, Array]:
    """What the page does with a cube, in Python."""
    flat = zlib.decompress(raw)
    return {
        name: np.frombuffer(flat, dtype=kind, count=size, offset=at)
        for name, kind, size, at in about["parts"]
    }


@pytest.mark.parametrize("side", SIDES)
def test_a_packed_cube_holds_the_cube(state: BenchState, side: Side) -> None:
    state.thresholds.set("perplexity", 5.0, 900.0)
    handle, cube = state.thresholds.handle("n_tokens", side), cube_of(state, "n_tokens", side)
    parts = unpack(*pack_cube(cube, handle))
    sign = -1 if side == "low" else 1

    def counts(name: str) -> Array:
        steps = parts[name].astype(np.int64).reshape(-1, N_PLACES)
        steps[:, 1:] *= sign
        return steps.cumsum(axis=1)

    assert (counts("documents")[0] == cube.documents).all()
    assert (counts("tokens")[0] == cube.tokens).all()
    assert (counts("sources") == cube.sources).all()
    for score, heights in cube.heights.items():
        assert (counts(f"bars:{score}") == heights).all()
    assert (parts["cuts"] == handle.ladder.cuts).all()
    assert parts["quantiles"].max() <= 1000


def test_a_ladder_of_quantiles_holds_what_the_engine_resolves_them_to(state: BenchState) -> None:
    state.thresholds.show_quantiles("perplexity", True)
    ladder = state.thresholds.ladder("perplexity")
    for place in range(1, N_PLACES, 83):
        state.thresholds.drag("perplexity", "low", place)
        low, _ = bands.bounds(state.recipe, "perplexity")
        assert low == ladder.bound(place)
        assert state.thresholds.values("perplexity")[0] == ladder.cuts[place]


def test_ladders_climb(state: BenchState) -> None:
    for score in SCORES:
        for as_quantile in (False, True):
            state.thresholds.show_quantiles(score, as_quantile)
            ladder = state.thresholds.ladder(score)
            assert (np.diff(ladder.cuts) >= 0).all()
            assert (np.diff(ladder.quantiles) >= 0).all()
