"""What a selector is: columns in, a keep mask and the reason for each drop out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workbench.checks import Array, BoolArray, FloatArray, IntArray

Columns = Mapping[str, Array]
"""Columns by name, row i of each being document i: `doc_id` and `source` (str), `text_digest` uint64 (n, 2),
`embedding` float32 (n, d), and scores (n,). A selector sees those that its `needs` names, and `doc_id`."""

State = Mapping[str, Array]
Scope = Literal["row", "column", "group"]


@dataclass(frozen=True)
class Quantile:
    """A threshold given as a quantile of the sample.

    Attributes
    ----------
    quantile
        In 0..1, over all scorable documents of the sample, weighted back to the corpus by the sample's
        design.
    value
        The constant that it was resolved to; None until then. A manifest holds both, and `apply` uses only
        `value`.
    """

    quantile: float
    value: float | None = None


Threshold = float | Quantile | None


@dataclass(frozen=True)
class Selection:
    """What one step decided about n documents.

    Attributes
    ----------
    keep
        bool (n,).
    explain
        `explain(i)` says in one sentence why document i was dropped; only asked for those with `keep[i]`
        False.
    weight
        Repeat weight (n,), None for 1 everywhere.
    unscored
        bool (n,): documents about which the step can't decide because a score is NaN and the recipe doesn't
        say what to do with them; None if there are none. They are neither kept nor dropped: on a sample this
        is an error, on a corpus they are quarantined.
    """

    keep: BoolArray
    explain: Callable[[int], str]
    weight: FloatArray | None = None
    unscored: BoolArray | None = None


@dataclass(frozen=True)
class SelectorSpec:
    """The definition of one selector.

    Attributes
    ----------
    name
        As in a recipe's step, `{"select": name, ...}`.
    scope
        "row": each document on its own. "group": all rows with the same key of `group` must be seen at once.
        "column": a whole score column must be seen at once.
    params
        Frozen dataclass of JSON-able fields (numbers, strings, Quantile, None).
    needs
        `needs(params)`: the columns it reads besides `doc_id`.
    reads
        For people: "text", "embedding", "score" or "category" (one that a param names); nothing for a choice by
        id alone.
    select
        `(columns, params, state, seed) -> Selection`. For scope "group" it is called with any number of whole
        groups.
    resolve
        `(columns, params, sample_weight) -> params` on the sample: fills each Quantile's value. None: nothing
        to resolve.
    fit
        `(columns, params, seed) -> state` on the sample: the artefacts (centroids). None: nothing is fitted.
    fit_params
        The names of the params that the fitted state depends on; moving any other slider refits nothing.
    group
        `(columns, params, state) -> int64 (n,)`: the key, for scope "group".
    tracks_corpus
        True where the share that it drops grows with the number of documents (duplicates): what a sample
        shows is then a lower bound of what the corpus will drop, and is reported as such, never extrapolated.
    help
        One line a param, for forms and the command line.
    """

    name: str
    version: int
    title: str
    scope: Scope
    params: type[Any]
    needs: Callable[[Any], tuple[str, ...]]
    select: Callable[[Columns, Any, State, int], Selection]
    resolve: Callable[[Columns, Any, FloatArray], Any] | None = None
    fit: Callable[[Columns, Any, int], State] | None = None
    fit_params: tuple[str, ...] = ()
    reads: tuple[str, ...] = ("score",)
    group: Callable[[Columns, Any, State], IntArray] | None = None
    tracks_corpus: bool = False
    paper: str = ""
    status: Literal["published", "variant", "experimental"] = "published"
    help: Mapping[str, str] = field(default_factory=dict)
