"""Long work of the tabs runs aside: the kernel answers meanwhile, Stop stops it, and what is outdated isn't shown."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.widgets.conftest import N
from tests.widgets.sending import Held, complain, send
from tests.widgets.test_budget import ASKED
from widgets import memo
from widgets.aside import Aside, is_still, snapshot
from widgets.budget import Budget
from widgets.copies import METHODS, is_found, links
from widgets.duplicates import Duplicates
from widgets.job_bar import JobBar
from widgets.state import BenchState
from workbench.engine.fitting import FitCache
from workbench.engine.table import Table
from workbench.errors import Cancelled, InputError
from workbench.progress import Silent, as_current, current
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_step

SEMDEDUP = parse_step({"select": "semdedup", "epsilon": 0.1, "n_clusters": 3})


@pytest.fixture
def table(table: Table) -> Table:
    vectors = np.random.default_rng(0).normal(size=(N, 6)).astype(np.float32)
    return replace(table, scores={**table.scores, "embedding": vectors})


@pytest.fixture
def held() -> Held:
    return Held()


def budget(state: BenchState, held: Held) -> Budget:
    """A tab that is solving a budget for a handle before a step that compares documents."""
    state.edit(Recipe((parse_step({"select": "rank", "score": "perplexity", "keep_fraction": 0.5}),)))
    view = Budget(state, complain, held.jobs)
    view.is_shown = True
    send(view, type="solve", **{**ASKED, "amount": "7", "score": "n_tokens", "side": "low"})
    held.until_it_works()
    return view


def test_the_kernel_goes_on_while_a_budget_is_solved(state: BenchState, held: Held) -> None:
    view = budget(state, held)
    assert view.state["isSolving"]
    assert held.shown[-1]["what"] == "trying thresholds"
    state.thresholds.show_quantiles("n_tokens", False)  # any other message
    with pytest.raises(InputError, match="something is being computed already"):
        Aside(state, complain, held.jobs, lambda: None).start(
            lambda then: None, lambda found, then: None, what="another"
        )
    held.let_go()
    assert not view.state["isSolving"]
    assert view.state["solution"]["kept"] <= 7
    assert held.shown[-1] is None


def test_a_solution_of_a_recipe_that_has_changed_is_not_shown(state: BenchState, held: Held) -> None:
    view = budget(state, held)
    state.reseed(5)
    held.let_go()
    assert view.state["solution"] is None
    assert view.state["note"] == "The recipe has changed since; solve again."


def test_stop_stops_within_the_recipe_that_is_tried(state: BenchState, held: Held) -> None:
    view = budget(state, held)
    send(JobBar(complain, held.jobs.stop), type="stop")
    held.let_go()
    assert held.said == ["stopped; nothing was changed"]
    assert (view.state["isSolving"], view.state["solution"]) == (False, None)
    assert len(state.recipe.steps) == 1


def test_a_search_for_near_copies_that_was_stopped_waits_to_be_asked(state: BenchState, held: Held) -> None:
    view = Duplicates(state, complain, held.jobs)
    view.is_shown = True
    view.refresh()
    held.until_it_works()
    assert held.shown[-1]["what"].startswith("k-means")
    assert view.state["hint"] == "Looking for near-copies …"
    held.jobs.stop()
    held.let_go()
    assert view.state["ask"] == f"Compute the curve for {N} documents"
    view.refresh()
    assert view.state["ask"], "it doesn't begin again by itself"
    send(view, type="compute")
    held.jobs.wait(60)
    assert view.state["documents"] == N


def test_where_another_tab_computes_a_curve_is_computed_when_asked_for(state: BenchState, held: Held) -> None:
    budget(state, held)
    view = Duplicates(state, complain, held.jobs)
    view.is_shown = True
    view.refresh()
    assert view.state["ask"]
    held.let_go()


def test_what_was_found_aside_is_not_looked_for_again(state: BenchState, held: Held) -> None:
    held.go.set()
    view = Duplicates(state, complain, held.jobs)
    view.is_shown = True
    view.refresh()
    held.jobs.wait(60)
    assert is_found(state, METHODS["semdedup"])
    n_shown = len(held.shown)
    state.reseed(1)  # k-means starts elsewhere, so that is another search
    held.jobs.wait(60)
    assert len(held.shown) > n_shown
    n_shown = len(held.shown)
    send(view, type="place", place=300)
    assert view.state["value"] == 0.09
    assert len(held.shown) == n_shown


def test_a_snapshot_shares_nothing_that_a_recipe_changes(state: BenchState) -> None:
    state.edit(Recipe((SEMDEDUP,)))
    then = snapshot(state)
    assert is_still(state, then)
    then.trial(replace(state.recipe, seed=3))
    other = replace(SEMDEDUP, params=replace(SEMDEDUP.params, n_clusters=2))
    rows = np.arange(N)
    assert then.fits.knows(then.loaded, SEMDEDUP, 3, rows)
    assert not state.fits.knows(state.loaded, SEMDEDUP, 3, rows)
    assert state.fits.knows(state.loaded, SEMDEDUP, 0, rows)
    assert not then.fits.knows(then.loaded, other, 0, rows)
    assert not then.fits.knows(then.loaded, SEMDEDUP, 3, rows[1:])
    state.fits.adopt(then.fits)
    assert state.fits.knows(state.loaded, SEMDEDUP, 3, rows)
    state.reseed(1)
    assert not is_still(state, then)
    assert then.recipe.seed == 0


def test_a_cache_that_takes_over_another_keeps_its_limit(state: BenchState) -> None:
    caches = [FitCache(), FitCache()]
    for seed, cache in ((s, caches[s % 2]) for s in range(40)):
        fitted = cache.state(state.loaded, SEMDEDUP, seed)
        columns = state.loaded.columns(SEMDEDUP.needs)
        cache.scan(state.loaded, SEMDEDUP, fitted, seed, np.arange(N))(columns)
    caches[0].adopt(caches[1])
    known = [seed for seed in range(40) if caches[0].knows(state.loaded, SEMDEDUP, seed, np.arange(N))]
    assert known == list(range(9, 40, 2))


def test_the_progress_of_a_job_is_that_of_its_thread_alone() -> None:
    class Counted(Silent):
        n = 0

        def advance(self, n: int) -> None:
            self.n += n

    counted, seen = Counted(), []
    with as_current(counted):
        assert current() is counted
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
    assert isinstance(current(), Silent)
    assert not isinstance(seen[0], Counted)


class Stopped(Silent):
    """Stops at the first step of work of that name."""

    def __init__(self, at: str) -> None:
        self.at, self.now = at, [""]

    def start(self, what: str, total: int) -> None:
        self.now.append(what)

    def finish(self) -> None:
        self.now.pop()

    def advance(self, n: int) -> None:
        if self.now[-1].startswith(self.at):
            raise Cancelled(self.at)


@pytest.mark.parametrize(
    ("method", "at"),
    [
        ("semdedup", "k-means"),
        ("semdedup", "looking for near-copies"),
        ("minhash", "looking for shared bands"),
        ("minhash", "comparing signatures"),
    ],
)
def test_a_search_stops_within_each_of_its_parts(state: BenchState, method: str, at: str) -> None:
    scores = {
        "minhash_bands": np.ones((N, 2), dtype=np.uint64),
        "minhash_signature": np.ones((N, 256), dtype=np.uint32),
    }
    state.set_table(replace(state.loaded, scores={**state.loaded.scores, **scores}))
    stopped = Stopped(at)
    with as_current(stopped), pytest.raises(Cancelled, match=at):
        links(state, METHODS[method])
    assert stopped.now == [""], "each part that was begun was ended"


def test_blas_has_its_threads_again_when_the_last_recipe_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[str] = []

    class Limited:
        def limit(self, **given: object) -> Limited:
            limits.append("limited")
            return self

        def restore_original_limits(self) -> None:
            limits.append("restored")

    monkeypatch.setattr(memo, "_threads", Limited)
    one, other = memo._one_thread(), memo._one_thread()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert limits == ["limited"]
    other.__exit__(None, None, None)
    assert limits == ["limited", "restored"]
