"""The Compare tab: A against B, two drafts or recipes from files, in numbers, on the map, and document by document."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from widgets import messages, paths
from widgets.comparison import MAX_POINTS, Comparison, Picture, ScoreSides, picture
from widgets.pages import READ_CHARS, first_line, page_of, piece
from widgets.reader import step_name
from widgets.recipe_files import read_recipes
from widgets.state import BenchState, Change
from widgets.view import Report, View, script, style
from workbench.checks import Array, FloatArray
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.errors import InputError, WorkbenchError
from workbench.plots.colors import category_colors
from workbench.recipe.model import Recipe
from workbench.stats.compare import PARTS

_MAX_PATH = 4096
_MAX_PAGE = 10**9
_MAX_FILES = 60
_SHOWN_FIRST = "only_b"
AT_ONCE = 50_000
"""Documents up to which a change is compared at once; of more when the page asks, once pointer and keys have rested."""


class Compare(View):
    """The tab.

    Parameters
    ----------
    bench
        The shared state.
    root
        The folder beyond which no path may lead; None for no limit.
    """

    _esm = script("compare")
    _css = style("compare")
    places = traitlets.Bytes(b"").tag(sync=True)
    parts = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, bench: BenchState, report: Report, *, root: Path | None) -> None:
        self._bench = bench
        self._root = root
        self._files: dict[str, tuple[str, Recipe]] = {}
        self._chosen: dict[str, str | None] = {"a": None, "b": None}
        self._part, self._page = _SHOWN_FIRST, 0
        self._row: int | None = None
        self._numbers: dict[str, Any] = {}
        self._compared: tuple[Any, ...] = ()
        self._comparison: Comparison | None = None
        self._of_table: _OfTable | None = None
        self.is_shown = False
        handlers = {
            "choose": self._choose,
            "swap": self._swap,
            "load": self._load,
            "list": self._list,
            "read": self._read,
            "more": self._more,
            "compare": lambda content: self.refresh(),
        }
        super().__init__(handlers, report)
        bench.listen(self._changed)

    def _changed(self, change: Change) -> None:
        if change == "table":
            self._row, self._page = None, 0
        if change == "selection" or not self.is_shown:
            return
        table = self._bench.table
        if change == "recipe" and self._numbers and table is not None and len(table) > AT_ONCE:
            # The numbers before stay on the page until then; a person who goes on working doesn't wait for new ones.
            self.show({**self.state, "isStale": True})
        else:
            self.refresh()

    # ---- messages ------------------------------------------------------------------------------------------

    def _choose(self, content: Mapping[str, object]) -> None:
        side = messages.known(content, "side", ("a", "b"))
        self._chosen[side] = messages.known(content, "key", self._choices())
        self._page = 0
        self.refresh()

    def _swap(self, content: Mapping[str, object]) -> None:
        a, b = self._sides()
        self._chosen = {"a": b, "b": a}
        self._part = {"only_a": "only_b", "only_b": "only_a"}.get(self._part, self._part)
        self.refresh()

    def _load(self, content: Mapping[str, object]) -> None:
        path = Path(paths.allowed(messages.text(content, "path", at_most=_MAX_PATH), self._root))
        found = read_recipes(path)
        if len(self._files) + len(found) > _MAX_FILES:
            raise InputError(f"{_MAX_FILES} recipes are loaded at most; open the bench anew to begin again")
        first = len(self._files)
        for i, (label, recipe) in enumerate(found):
            self._files[f"file:{first + i}"] = (label, recipe)
        self._chosen["a"] = f"file:{first}"
        self.refresh()

    def _list(self, content: Mapping[str, object]) -> None:
        self._part = messages.known(content, "part", PARTS)
        self._page = messages.integer(content, "page", 0, _MAX_PAGE)
        self.refresh()

    def _read(self, content: Mapping[str, object]) -> None:
        self._row = messages.integer(content, "row", 0, len(self._bench.loaded) - 1)
        self.refresh()

    def _more(self, content: Mapping[str, object]) -> None:
        row = messages.integer(content, "row", 0, len(self._bench.loaded) - 1)
        text = self._bench.loaded.sample.texts[row]
        offset = messages.integer(content, "offset", 0, len(text))
        self.send({"type": "more", "row": row, "offset": offset, "text": piece(text, offset)})

    # ---- what is compared ----------------------------------------------------------------------------------

    def _choices(self) -> dict[str, tuple[str, Recipe]]:
        """All that can be chosen, by key: label and recipe."""
        drafts = self._bench.drafts
        return {f"draft:{name}": (name, drafts[name].recipe) for name in drafts.names} | self._files

    def _sides(self) -> tuple[str, str]:
        """The keys of A and B: as chosen, else B is the current draft and A what it was branched from."""
        choices, now = self._choices(), self._bench.drafts.current
        a, b = self._chosen["a"], self._chosen["b"]
        if b is None or b not in choices:
            b = f"draft:{now.name}"
        if a is None or a not in choices:
            parent = None if now.parent is None else f"draft:{now.parent.name}"
            others = [key for key in choices if key != b]
            a = parent if parent is not None and parent != b else others[-1] if others else b
        return a, b

    def _outcome(self, recipe: Recipe) -> tuple[Outcome | None, str | None]:
        try:
            return self._bench.outcome_of(recipe)
        except WorkbenchError as error:
            return None, str(error)

    # ---- what is shown -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        bench = self._bench
        if not self.is_shown:
            return
        choices = self._choices()
        keys = self._sides()
        shown: dict[str, Any] = {
            "choices": [[key, label] for key, (label, _) in choices.items()],
            "a": keys[0],
            "b": keys[1],
            "labels": [choices[key][0] for key in keys],
            "hint": "",
            "ready": False,
            "isStale": False,
        }
        if bench.table is None:
            self.show({**shown, "hint": "Load documents on the Load tab first."})
            return
        hint = self._compare(bench.table, choices[keys[0]][1], choices[keys[1]][1])
        if hint or self._comparison is None:
            self.show({**shown, "hint": hint})
            return
        if keys[0] == keys[1]:
            shown["hint"] = (
                "A and B are the same. Branch the draft above and change something, or load a recipe to compare with."
            )
        if keys[0] != keys[1] and not len(self._comparison.rows(self._part)):
            self._part = self._first_with_documents()
        self.show({**shown, **self._numbers, **self._documents(self._comparison), "ready": True})

    def _compare(self, table: Table, a: Recipe, b: Recipe) -> str:
        """Work out all numbers, unless they are of the same table and recipes; what is in the way, "" if nothing."""
        now = (table, a, b)
        if len(self._compared) == 3 and table is self._compared[0] and now[1:] == self._compared[1:]:
            return ""
        self._comparison, self._compared = None, ()
        (one, fault), (other, other_fault) = self._outcome(a), self._outcome(b)
        if one is None or other is None:
            return f"A can't run: {fault}" if one is None else f"B can't run: {other_fault}"
        if self._of_table is None or self._of_table.table is not table:
            self._of_table = _OfTable(table)
        self._comparison, self._compared = Comparison.of(table, one, other), now
        self._numbers = self._all_numbers(self._comparison, self._of_table)
        return ""

    def _all_numbers(self, comparison: Comparison, known: _OfTable) -> dict[str, Any]:
        groups = self._bench.groups
        points = known.picture
        with self.hold_sync():
            self.places = b"" if points is None else points.places
            self.parts = b"" if points is None else comparison.part[points.rows].tobytes()
        recipes = (comparison.a.fitted.recipe, comparison.b.fitted.recipe)
        return {
            "overlap": comparison.overlap(),
            "tracksCorpus": any(s.spec.tracks_corpus for recipe in recipes for s in recipe.active.steps),
            "sources": comparison.groups(groups.codes, groups.names),
            "clusters": comparison.clusters(known.labels),
            "scores": comparison.scores(known.sides),
            "colors": category_colors(groups.names),
            "map": None
            if points is None
            else {"points": len(points.rows), "most": MAX_POINTS, "unplaced": points.unplaced},
        }

    def _first_with_documents(self) -> str:
        assert self._comparison is not None
        order = ("only_b", "only_a", "both", "neither")
        return next((part for part in order if len(self._comparison.rows(part))), _SHOWN_FIRST)

    def _documents(self, comparison: Comparison) -> dict[str, Any]:
        found = comparison.rows(self._part)
        rows, self._page, n_pages = page_of(found, self._page)
        return {
            "part": self._part,
            "page": self._page,
            "pages": n_pages,
            "found": len(found),
            "rows": [self._line(int(row)) for row in rows],
            "reader": None if self._row is None else self._reader(comparison, self._row),
        }

    def _line(self, row: int) -> dict[str, Any]:
        sample = self._bench.loaded.sample
        text = sample.texts[row]
        return {
            "row": row,
            "id": sample.doc_ids[row],
            "source": sample.sources[row],
            "line": first_line(text),
        }

    def _reader(self, comparison: Comparison, row: int) -> dict[str, Any]:
        sample = self._bench.loaded.sample
        text = sample.texts[row]
        return {
            "row": row,
            "id": sample.doc_ids[row],
            "source": sample.sources[row],
            "text": text[:READ_CHARS],
            "total": len(text),
            "verdicts": [_verdict(outcome, row) for outcome in (comparison.a, comparison.b)],
        }


class _OfTable:
    """What depends on the table alone."""

    def __init__(self, table: Table) -> None:
        from workbench.scores.keywords import keyword_labels

        self.table = table
        n_chars: FloatArray = np.asarray([len(text) for text in table.sample.texts], dtype=np.float64)
        self.sides = ScoreSides(table, n_chars)
        self.picture: Picture | None = picture(table)
        clusters: Array | None = table.scores.get("cluster")
        self.labels = {} if clusters is None else keyword_labels(table.sample.texts, clusters)


def _verdict(outcome: Outcome, row: int) -> dict[str, Any]:
    step = int(outcome.step[row])
    if step < 0:
        return {"kept": True, "step": None, "reason": None}
    name = step_name(step, outcome.fitted.recipe.steps[step].to_json())
    return {"kept": False, "step": name, "reason": outcome.reason(row)}
