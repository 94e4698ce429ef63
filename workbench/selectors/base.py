"""What a selector is: columns in, a keep mask and the reason for each drop out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from workbench.checks import Array, BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from workbench.selectors.rules import Rule

Columns = Mapping[str, Array]
"""Columns by name, row i of each being document i: `doc_id` and `source` (str), `text_digest` uint64 (n, 2),
`design_weight` float64 (n,), vectors such as `embedding` float32 (n, d), and scores (n,); a ragged score is an object
array (n,) of arrays. A selector sees those that its `needs` names, and `doc_id`."""

DESIGN_WEIGHT = "design_weight"
"""How many documents of the corpus a document stands for: on a sample by its design, on a corpus 1. A share of
documents is a share of these."""

GIVEN = ("source", "text_digest", DESIGN_WEIGHT)
"""What a selector may read that is no score."""

State = Mapping[str, Array]

Scanned = Callable[[], Columns]
"""Gives what a selector's scan of these documents found, scanning them only if asked."""

Scope = Literal["row", "column", "group", "pieces"]


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
        Repeat weight (n,), None for 1 everywhere; written beside each kept document, times those of the other
        steps.
    score
        float64 (n,), higher kept first, of a method that ranks; None of one that doesn't.
    unscored
        bool (n,): documents about which the step can't decide because a score is NaN and the recipe doesn't
        say what to do with them; None if there are none. They are neither kept nor dropped: on a sample this
        is an error, on a corpus they are quarantined.
    """

    keep: BoolArray
    explain: Callable[[int], str]
    weight: FloatArray | None = None
    unscored: BoolArray | None = None
    score: FloatArray | None = None


@dataclass(frozen=True)
class Pieces:
    """What n documents are held against each other by: hashes of their sentences, of runs of tokens.

    Attributes
    ----------
    hashes
        uint64 (m,), document after document. Equal pieces have equal hashes; 0 is no piece.
    counts
        int64 (n,): how many of them are a document's. Piece j of a document stands at its place j.
    """

    hashes: Array
    counts: IntArray


@dataclass(frozen=True)
class Repeats:
    """The pieces of some documents that have an equal among those of all documents.

    Attributes
    ----------
    row, place
        int64 (m,): the row of its document among those given, and its place there; sorted by both.
    document
        int64 (m,): the number of its document among all documents.
    first_document, first_place
        int64 (m,): where the first of its equals stands, by the order of ids and within a document by place; that may
        be the piece itself.
    """

    row: IntArray
    place: IntArray
    document: IntArray
    first_document: IntArray
    first_place: IntArray


@dataclass(frozen=True)
class SelectorSpec:
    """The definition of one selector.

    Attributes
    ----------
    name
        As in a recipe's step, `{"select": name, ...}`.
    scope
        "row": each document on its own. "group": all rows with the same key of `group` must be seen at once.
        "column": whole columns must be seen at once, of every document that the steps before it left; they are in
        memory then. "pieces": the pieces of all documents must meet, not the documents.
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
    state_of
        A score among `needs` whose fitted artefact the step has for its own, instead of `fit`: so it gets at the target
        texts, which only scores are given. A manifest holds it with the step.
    scan
        `(columns, params, state, seed) -> columns`: the pass over the documents that answers every position of a
        slider at once (a similarity, a rank); `select` finds what it gives among its columns, each (n,). None: there
        is nothing to keep. It is kept while what it depends on stays the same.
    scan_params
        The names of the params that the scan depends on.
    solve
        `(columns, scanned, params, state, seed) -> arrays` on the sample: constants that join the fitted state and
        follow from the scan, as the epsilon that leaves a share of the documents. `scanned()` is the scan, which
        reads none of them. Found anew at every move of a slider, so it is quick. None: there are none.
    score_params
        The names of the params that name a score, several (a tuple) or perhaps none (None).
    group
        `(columns, params, state) -> int64 (n,)`: the key, for scope "group".
    pieces
        `(columns, params) -> Pieces` of any documents, for scope "pieces".
    gather
        `(columns, params, repeats) -> columns` of any documents, for scope "pieces": what follows from those pieces
        that have equals, each (n,), and `first_copy`, int64 (n,): the number of the document that holds the first
        copy, -1 for none. `select` is given `doc_id` and what it finds, with the doc_id in `first_copy` ("" for none).
        In memory the `scan` does the same (`workbench.selectors.pieces.scanned`).
    score_settings
        `params -> {score: {setting: value}}`: settings of scores that the params stand for; a sample that was scored
        with others is refused. None: any will do.
    made_with
        `params -> {score: digest}`: the definitions that the params were made with, as `json_digest` gives them of
        `Table.definitions`; a sample whose score is defined otherwise is refused. None: any will do.
    tracks_corpus
        True where the share that it drops grows with the number of documents (duplicates): what a sample
        shows is then a lower bound of what the corpus will drop, and is reported as such, never extrapolated.
    reads_missing
        Whether it says itself what becomes of a document whose score is NaN or whose vector isn't finite. Of any
        other selector such a document is dropped, with that for a reason, before `select` is called.
    rules
        `params -> rules`: all that it asks of a document, where that is nothing but limits on scores. None, or giving
        None: it is more.
    about
        For people: what it keeps and what it loses, what its paper found, what it is known to confound.
    cost
        For people: what a run takes at most, where it is more than its scope says ("O(n k^2): 1 min for ...").
    assumed
        What neither paper nor released code says, and what was assumed for it, one sentence each.
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
    state_of: str | None = None
    scan: Callable[[Columns, Any, State, int], Columns] | None = None
    scan_params: tuple[str, ...] = ()
    solve: Callable[[Columns, Scanned, Any, State, int], State] | None = None
    reads: tuple[str, ...] = ("score",)
    score_params: tuple[str, ...] = ("score",)
    group: Callable[[Columns, Any, State], IntArray] | None = None
    pieces: Callable[[Columns, Any], Pieces] | None = None
    gather: Callable[[Columns, Any, Repeats], Columns] | None = None
    score_settings: Callable[[Any], Mapping[str, Mapping[str, object]]] | None = None
    made_with: Callable[[Any], Mapping[str, str]] | None = None
    tracks_corpus: bool = False
    paper: str = ""
    status: Literal["published", "variant", "experimental"] = "published"
    reads_missing: bool = False
    rules: Callable[[Any], tuple[Rule, ...] | None] | None = None
    about: str = ""
    cost: str = ""
    assumed: tuple[str, ...] = ()
    help: Mapping[str, str] = field(default_factory=dict)

    def run(self, columns: Columns, params: Any, state: State, seed: int) -> Selection:
        """`select` after `scan`."""
        scanned = {} if self.scan is None else self.scan(columns, params, state, seed)
        return self.select({**columns, **scanned}, params, state, seed)

    def prepare(self, columns: Columns, params: Any, seed: int) -> State:
        """The state that `fit` and `solve` find on the sample."""
        state = {} if self.fit is None else self.fit(columns, params, seed)
        if self.solve is None:
            return state

        def scanned() -> Columns:
            return {} if self.scan is None else self.scan(columns, params, state, seed)

        return {**state, **self.solve(columns, scanned, params, state, seed)}
