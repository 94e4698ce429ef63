"""Evidence in the report: what votes and trials on held-out documents say of the selection."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from workbench.page import Child, grid, tag
from workbench.report.amounts import json_text

_HEAD = ["", "", "95 % interval"]


def evidence(items: Sequence[Mapping[str, Any]]) -> Iterator[Element]:
    """Each item in words where its kind is known, else as it is: a manifest may hold anything, and may be anyone's."""
    if not items:
        return
    yield tag("h2", "Evidence")
    for item in items:
        try:
            parts = list(_KINDS[item["kind"]](item))
        except (KeyError, TypeError, ValueError, OverflowError):
            parts = [tag("pre", json_text(dict(item)))]
        yield from parts


def _votes(item: Mapping[str, Any]) -> Iterator[Element]:
    """Blind votes, as the bench's Votes tab counts them."""
    kept, dropped = (
        [_count(item[side][name]) for name in ("n_good", "n_votes")] for side in ("kept", "dropped")
    )
    yield tag("h3", "Blind votes")
    yield tag(
        "p",
        "People who didn't see what the selection does found worth keeping "
        f"{kept[0]:,} of {kept[1]:,} kept documents and {dropped[0]:,} of {dropped[1]:,} dropped ones; "
        f"{_count(item['n_skipped']):,} were skipped.",
    )
    yield _shares(item, "of what is kept, worth keeping", "of what is worth keeping, kept")


def _region(item: Mapping[str, Any]) -> Iterator[Element]:
    """The rule of a region of the map, tried on documents that it wasn't fitted to."""
    name = item["name"]
    if not isinstance(name, str):
        raise TypeError("a name is a text")
    yield tag("h3", f"Step {_count(item['step'])}, region ", tag("bdi", name))
    yield tag(
        "p",
        f"A rule fitted in the same way to {_count(item['n_fitted']):,} documents was tried on "
        f"{_count(item['n_held_out']):,} others. The rule of the selection is fitted to all of them.",
    )
    yield _shares(item, "of what the rule takes for the region, in it", "of the region, found by the rule")


_KINDS = {"blind_votes": _votes, "held_out_region": _region}


def _shares(item: Mapping[str, Any], precision: str, recall: str) -> Element:
    rows: list[list[Child]] = []
    for name, meaning in (("precision", precision), ("recall", recall)):
        value, low, high = (item[name][key] for key in ("value", "low", "high"))
        told = "not known" if value is None else _percent(value)
        rows.append(
            [
                tag("div", name, tag("div", meaning, class_="soft")),
                told,
                f"{_percent(low)} to {_percent(high)}",
            ]
        )
    return grid(_HEAD, rows, numbers=frozenset({1, 2}))


def _percent(share: float) -> str:
    if not math.isfinite(share):
        raise ValueError("a share is finite")
    return f"{100 * share:.1f} %"


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("a count is a whole number")
    return value
