"""The Recipe tab: the ordered steps with their parameters, what each drops, and the recipe as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from widgets import bands, messages, paths
from widgets.forms import new_step, step_form, with_param
from widgets.reader import step_name
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.errors import InputError
from workbench.files import write_json
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe
from workbench.selectors import SELECTORS
from workbench.summary import about

_MAX_PATH = 4096
_MAX_SEED = 2**31 - 1
_MAX_VALUE = 100_000


class RecipeForm(View):
    """The form.

    Parameters
    ----------
    bench
        The shared state.
    say
        Shows good news.
    root
        The folder beyond which no path may lead; None for no limit.
    """

    _esm = script("unanswered", "recipe")
    _css = style("recipe")

    def __init__(
        self, bench: BenchState, report: Report, *, say: Callable[[str], None], root: Path | None
    ) -> None:
        self._bench = bench
        self._say = say
        self._root = root
        self.is_shown = False
        handlers = {
            "param": self._param,
            "add": self._add,
            "remove": self._remove,
            "move": self._move,
            "seed": lambda content: bench.reseed(messages.integer(content, "seed", 0, _MAX_SEED)),
            "import": self._import,
            "save": self._save,
            "open": self._open,
        }
        super().__init__(handlers, report)
        bench.listen(lambda change: self.refresh())

    # ---- messages ------------------------------------------------------------------------------------------

    def _index(self, content: Mapping[str, object]) -> int:
        return messages.integer(content, "index", 0, len(self._bench.recipe.steps) - 1)

    def _param(self, content: Mapping[str, object]) -> None:
        index, name = self._index(content), messages.text(content, "name")
        value = content.get("value")
        if len(json.dumps(value)) > _MAX_VALUE:
            raise InputError(f"the value of {name} is too long; shorten it")
        step = self._bench.recipe.steps[index]
        self._bench.edit(bands.with_step(self._bench.recipe, index, with_param(step, name, value, index)))
        self._bench.thresholds.sync_quantiles()

    def _add(self, content: Mapping[str, object]) -> None:
        step = new_step(messages.known(content, "select", SELECTORS), self._bench.table)
        recipe = self._bench.recipe
        self._bench.edit(replace(recipe, steps=(*recipe.steps, step)))

    def _remove(self, content: Mapping[str, object]) -> None:
        self._bench.edit(bands.without_step(self._bench.recipe, self._index(content)))

    def _move(self, content: Mapping[str, object]) -> None:
        by = messages.integer(content, "by", -1, 1)
        self._bench.edit(bands.moved_step(self._bench.recipe, self._index(content), by))

    def _import(self, content: Mapping[str, object]) -> None:
        self._take(parse_recipe(messages.text(content, "json", at_most=messages.MAX_JSON)))

    def _save(self, content: Mapping[str, object]) -> None:
        path = self._path(content)
        if path.exists():
            # Only a recipe is ever written over.
            _read_recipe(path)
        write_json(path, self._bench.recipe.to_json())
        self._say(f"The recipe was saved to {path}")

    def _open(self, content: Mapping[str, object]) -> None:
        self._take(_read_recipe(self._path(content)))

    def _path(self, content: Mapping[str, object]) -> Path:
        path = Path(paths.allowed(messages.text(content, "path", at_most=_MAX_PATH), self._root))
        if path.suffix != ".json":
            raise InputError(f"a recipe's file ends in .json, got {path.name!r}; name it so")
        return path

    def _take(self, recipe: Recipe) -> None:
        self._bench.edit(recipe)
        self._bench.thresholds.sync_quantiles()
        self._bench.touch()

    # ---- what is shown -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        if not self.is_shown:
            return
        bench = self._bench
        dropped: list[tuple[int | None, int | None]] = [(None, None)] * len(bench.recipe.steps)
        if bench.outcome is not None:
            dropped = list(bench.groups.dropped_by_step(bench.outcome.step, len(dropped)))
        steps = []
        for i, (step, (documents, tokens)) in enumerate(zip(bench.recipe.steps, dropped, strict=True)):
            steps.append(
                {
                    "name": step_name(i, step.to_json()),
                    "title": step.spec.title,
                    "about": about(step.spec),
                    "fields": step_form(step, bench.table),
                    "resolved": self._resolved(i),
                    "documents": documents,
                    "tokens": tokens,
                    "tracksCorpus": step.spec.tracks_corpus,
                }
            )
        self.show(
            {
                "steps": steps,
                "selectors": [[name, spec.title] for name, spec in SELECTORS.items()],
                "seed": bench.recipe.seed,
                "json": json.dumps(bench.recipe.to_json(), indent=2, ensure_ascii=False),
                "documents": len(bench.table) if bench.table is not None else None,
            }
        )

    def _resolved(self, index: int) -> dict[str, float]:
        """The constants that the quantiles of a step stand for."""
        params: Mapping[str, Any] = self._bench.resolved.steps[index].to_json()
        return {
            name: value["value"]
            for name, value in params.items()
            if isinstance(value, Mapping) and "value" in value
        }


def _read_recipe(path: Path) -> Recipe:
    if not path.is_file():
        raise InputError(f"there is no file {path}; give the path of a recipe")
    if path.stat().st_size > messages.MAX_JSON:
        raise InputError(
            f"{path.name} has more than {messages.MAX_JSON:,} bytes, which no recipe has; give another file"
        )
    return parse_recipe(path.read_bytes())
