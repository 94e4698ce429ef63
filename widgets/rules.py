"""From a lasso to a rule: what the form beside the map knows, and when a rule may enter the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, cast

from widgets import messages
from widgets.aside import Aside
from widgets.state import BenchState
from widgets.trials import Trials
from workbench.engine.region import MIN_DOCUMENTS, HeldOut, Variant, make_rule, try_rule
from workbench.errors import InputError, WorkbenchError
from workbench.recipe.model import Step
from workbench.selectors.region import RegionParams
from workbench.stats.wilson import Share

POOR = 0.8
"""A rule whose precision or recall on held-out documents is below enters a recipe only if that is confirmed."""

_VARIANTS = {"probe": "linear probe", "centroids": "nearest centroids"}
_KEEPS = {"inside": "keep the region", "outside": "drop the region"}
_MAX_NAME = 60


class RuleMaker:
    """Turns the chosen documents into a step for unseen ones, once it was tried on documents held out.

    Parameters
    ----------
    bench
        The shared state.
    aside
        Where rules are fitted.
    """

    def __init__(self, bench: BenchState, aside: Aside) -> None:
        self._bench = bench
        self._aside = aside
        self._variant: Variant = "probe"
        self._keep: Literal["inside", "outside"] = "inside"
        self._name = ""
        self._tried: tuple[tuple[object, object, str], HeldOut] | None = None
        self._added: tuple[object, int] | None = None
        self._trials = Trials()
        bench.saved_parts["trials"] = self._trials

    @property
    def held_out(self) -> HeldOut | None:
        """How the rule for the documents now chosen did on held-out documents; None until that was tried."""
        if self._tried is None:
            return None
        (rows, vectors, variant), held_out = self._tried
        now = self._subject()
        return held_out if rows is now[0] and vectors is now[1] and variant == now[2] else None

    def set(self, content: Mapping[str, object]) -> None:
        """Take what the form says."""
        self._variant = cast(Variant, messages.known(content, "variant", _VARIANTS))
        self._keep = cast(Literal["inside", "outside"], messages.known(content, "keep", _KEEPS))
        self._name = messages.text(content, "name", at_most=_MAX_NAME)

    def suggest(self, name: str) -> None:
        """Call the region so unless the person says otherwise."""
        self._name = name[:_MAX_NAME]

    def try_out(self, content: Mapping[str, object]) -> None:
        """Fit the rule to half of the documents and count on the others."""
        self.set(content)
        self._added = None
        subject, variant = self._subject(), self._variant

        def done(held_out: HeldOut, _: BenchState) -> None:
            # It stands for these documents; where others are chosen by now, nothing of it is shown.
            self._tried = (subject, held_out)

        self._aside.start(
            lambda then: try_rule(then.loaded, then.selection, variant=variant), done, what="trying the rule"
        )

    def add(self, content: Mapping[str, object]) -> None:
        """Put the rule, fitted to all documents, at the end of the recipe.

        Raises
        ------
        InputError
            If it wasn't tried on these documents, or did poorly and that isn't confirmed.
        """
        self.set(content)
        held_out = self.held_out
        if held_out is None:
            raise InputError("the rule wasn't tried on held-out documents yet; try it first")
        if is_poor(held_out) and not messages.flag(content, "confirmed"):
            raise InputError(
                f"on held-out documents the rule's precision or recall is below {POOR}; confirm that you want it, or "
                "choose other documents"
            )
        variant, keep, name = self._variant, self._keep, self._name
        self._aside.start(
            lambda then: make_rule(then.loaded, then.selection, variant=variant, keep=keep, name=name),
            lambda rule, then: self._put(rule, then, held_out),
            what="fitting the rule",
        )

    def _put(self, rule: RegionParams, then: BenchState, held_out: HeldOut) -> None:
        bench = self._bench
        if bench.table is not then.table or bench.selection is not then.selection:
            raise InputError("other documents are chosen by now; try the rule on them first")
        self._trials.remember(rule, held_out, then.loaded.sample.fingerprint)
        steps = (*bench.recipe.steps, Step("region", rule))
        # Beforehand, since the edit lets every view show what it knows.
        self._added = (bench.selection, len(steps))
        try:
            bench.edit(replace(bench.recipe, steps=steps))
        except WorkbenchError:
            self._added = None
            raise

    def _subject(self) -> tuple[object, object, str]:
        """What a trial holds for: these very documents, vectors and variant."""
        bench = self._bench
        table = bench.table
        return bench.selection, None if table is None else table.scores.get("embedding"), self._variant

    def to_json(self) -> dict[str, Any]:
        """For the view."""
        held_out, n = self.held_out, len(self._bench.selection)
        has_vectors = self._bench.table is not None and "embedding" in self._bench.table.scores
        added = (
            self._added[1] if self._added is not None and self._added[0] is self._bench.selection else None
        )
        hint = ""
        if not has_vectors:
            hint = "A rule reads the embedding, which isn't computed."
        elif n < MIN_DOCUMENTS:
            hint = f"A rule needs at least {MIN_DOCUMENTS} documents."
        return {
            "hint": hint,
            "variant": self._variant,
            "variants": [list(pair) for pair in _VARIANTS.items()],
            "keep": self._keep,
            "keeps": [list(pair) for pair in _KEEPS.items()],
            "name": self._name,
            "tried": None if held_out is None else _shown(held_out),
            "added": added,
            "isBusy": self._aside.is_busy,
        }


def is_poor(held_out: HeldOut) -> bool:
    """Whether precision or recall is below POOR, or can't be told."""
    return any(share.value is None or share.value < POOR for share in (held_out.precision, held_out.recall))


def _shown(held_out: HeldOut) -> dict[str, Any]:
    def share(found: Share) -> list[float | int | None]:
        return [found.value, found.low, found.high, found.n_found, found.n]

    return {
        "precision": share(held_out.precision),
        "recall": share(held_out.recall),
        "fitted": held_out.n_fitted,
        "documents": held_out.n,
        "isPoor": is_poor(held_out),
        "limit": POOR,
    }
