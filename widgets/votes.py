"""Blind votes of a person on documents, with the designs that the documents were drawn by. Plain data, no widget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench.checks import json_digest
from workbench.errors import InputError

FORMAT = "bench-votes/1"
MAX_DRAW = 2000
"""Documents of one draw: more than anyone reads."""

Vote = Literal["keep", "drop", "skip"]
VOTES: tuple[Vote, ...] = ("keep", "drop", "skip")

Kind = Literal["halves", "near", "random"]
KINDS: Mapping[Kind, str] = {
    "halves": "half kept, half dropped",
    "near": "near a cut, half of each side",
    "random": "at random",
}


@dataclass(frozen=True)
class Stratum:
    """One stratum of a design: its name, its documents in the sample, and how many of them were drawn."""

    name: str
    n_documents: int
    n_drawn: int


@dataclass(frozen=True)
class Design:
    """How documents were drawn to be voted on.

    Attributes
    ----------
    kind
        "halves": as many kept as dropped documents. "near": the same among the documents nearest to a threshold.
        "random": any.
    number
        Of the draw, 0 or more; another number draws other documents.
    sample
        The fingerprint of the sample.
    recipe
        As JSON: what kept and dropped meant.
    strata
        What was drawn from.
    score, share
        For "near": the score, and the share of its documents that count as near, above 0 and at most 1.
    """

    kind: Kind
    number: int
    sample: str
    recipe: Mapping[str, Any]
    strata: tuple[Stratum, ...]
    score: str | None = None
    share: float | None = None

    @property
    def n_drawn(self) -> int:
        """All documents of the draw."""
        return sum(stratum.n_drawn for stratum in self.strata)

    def in_words(self) -> str:
        """The design in a sentence."""
        parts = " and ".join(
            " ".join(f"{s.n_drawn:,} of {s.n_documents:,} {s.name} documents".split())
            for s in self.strata
            if s.n_documents
        )
        where = ""
        if self.kind == "near":
            where = f", among the {100 * (self.share or 0):g} % nearest to the cut of {self.score}"
        under = "" if self.kind == "random" else ", by the recipe of that moment"
        return f"Draw {self.number + 1}: {parts}{where}{under}, in random order."

    def to_json(self) -> dict[str, Any]:
        """As in a file of votes."""
        return {
            "kind": self.kind,
            "number": self.number,
            "sample": self.sample,
            "recipe": dict(self.recipe),
            "strata": [dict(vars(stratum)) for stratum in self.strata],
            "score": self.score,
            "share": self.share,
        }


@dataclass(frozen=True)
class Draw:
    """A design and the ids of the documents that it drew, in the order in which they are shown."""

    design: Design
    doc_ids: tuple[str, ...]


@dataclass(frozen=True)
class Cast:
    """One vote: what it says, in which draw the document was shown, and as which (from 0)."""

    vote: Vote
    draw: int
    order: int


class Votes:
    """Votes by document, kept whatever becomes of the recipe.

    Attributes
    ----------
    draws
        All draws; the last one is voted on.
    cast
        The vote on each document, by id, in the order in which they were cast.
    """

    def __init__(self) -> None:
        self.draws: list[Draw] = []
        self.cast: dict[str, Cast] = {}

    @property
    def draw(self) -> Draw | None:
        """What is voted on; None before the first draw."""
        return self.draws[-1] if self.draws else None

    def begin(self, draw: Draw) -> None:
        """Vote on another draw. Votes stay, and a document that has one isn't shown again; one that was skipped is."""
        self.draws.append(draw)
        for doc_id in draw.doc_ids:
            if doc_id in self.cast and self.cast[doc_id].vote == "skip":
                del self.cast[doc_id]

    @property
    def at(self) -> int | None:
        """The place in the draw of the document to vote on now; None if there is none."""
        ids = self.draw.doc_ids if self.draw else ()
        return next((i for i, doc_id in enumerate(ids) if doc_id not in self.cast), None)

    def vote(self, vote: Vote) -> None:
        """Vote on the document that is shown.

        Raises
        ------
        InputError
            If there is none.
        """
        at, draw = self.at, self.draw
        if at is None or draw is None:
            raise InputError("there is no document to vote on; draw documents first")
        self.cast[draw.doc_ids[at]] = Cast(vote, len(self.draws) - 1, at)

    def undo(self) -> bool:
        """Take the last vote of this draw back, so that its document is shown again; False if there is none."""
        last = next(reversed(self.cast), None)
        if last is None or self.cast[last].draw != len(self.draws) - 1:
            return False
        del self.cast[last]
        return True

    def of_draw(self) -> Iterator[tuple[str, Cast]]:
        """The votes on the draw's documents up to the one that is shown, also those cast in an earlier draw.

        Beyond it may lie documents with earlier votes, and no others: they were drawn by another design.
        """
        for doc_id in self.draw.doc_ids[: self.at] if self.draw else ():
            yield doc_id, self.cast[doc_id]

    def digest(self) -> str:
        """SHA-256 (hex) of all votes and draws."""
        return json_digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """All votes and draws."""
        return {
            "format": FORMAT,
            "draws": [{"design": d.design.to_json(), "doc_ids": list(d.doc_ids)} for d in self.draws],
            "votes": [{"doc_id": doc_id, **vars(cast)} for doc_id, cast in self.cast.items()],
        }

    def load_json(self, content: object) -> None:
        """Take the votes of a file in place of these; see `from_json`."""
        given = Votes.from_json(content)
        self.draws, self.cast = given.draws, given.cast

    @classmethod
    def from_json(cls, content: object) -> Votes:
        """What `to_json` gave.

        Raises
        ------
        InputError
            If it is no such object, or of another format.
        """
        given = _object(content, "votes", {"format", "draws", "votes"})
        if given["format"] != FORMAT:
            raise InputError(f"votes must be of the format {FORMAT}, got {str(given['format'])[:40]!r}")
        votes = cls()
        for item in _list(given["draws"], "draws"):
            one = _object(item, "a draw", {"design", "doc_ids"})
            ids = tuple(_typed(i, str, "an id of a draw") for i in _list(one["doc_ids"], "doc_ids"))
            if len(ids) > MAX_DRAW or len(set(ids)) != len(ids):
                raise InputError(f"a draw holds up to {MAX_DRAW} different ids; export the votes again")
            votes.draws.append(Draw(_design(one["design"]), ids))
        for item in _list(given["votes"], "votes"):
            one = _object(item, "a vote", {"doc_id", "vote", "draw", "order"})
            doc_id, draw = _typed(one["doc_id"], str, "doc_id"), _count(one["draw"], "draw")
            order = _count(one["order"], "order")
            if one["vote"] not in VOTES or doc_id in votes.cast:
                raise InputError(
                    f"a vote is one of {', '.join(VOTES)}, and one a document; got {one['vote']!r}"
                )
            if draw >= len(votes.draws) or votes.draws[draw].doc_ids[order : order + 1] != (doc_id,):
                raise InputError(f"the vote on {doc_id[:40]!r} isn't on a document of its draw")
            votes.cast[doc_id] = Cast(one["vote"], draw, order)
        return votes


def _design(content: object) -> Design:
    given = _object(content, "a design", {"kind", "number", "sample", "recipe", "strata", "score", "share"})
    if given["kind"] not in KINDS:
        raise InputError(f"a design is one of {', '.join(KINDS)}, got {str(given['kind'])[:40]!r}")
    strata = []
    for item in _list(given["strata"], "strata"):
        one = _object(item, "a stratum", {"name", "n_documents", "n_drawn"})
        n = _count(one["n_documents"], "n_documents")
        strata.append(Stratum(_typed(one["name"], str, "name"), n, _count(one["n_drawn"], "n_drawn")))
    is_near = given["kind"] == "near"
    share = float(_typed(given["share"], int | float, "share")) if is_near else None
    if share is not None and not 0 < share <= 1:
        raise InputError(f"share must lie above 0 and at most at 1, got {share:g}")
    return Design(
        kind=given["kind"],
        number=_count(given["number"], "number"),
        sample=_typed(given["sample"], str, "sample"),
        recipe=_typed(given["recipe"], dict, "recipe"),
        strata=tuple(strata),
        score=_typed(given["score"], str, "score") if is_near else None,
        share=share,
    )


def _object(value: object, what: str, names: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise InputError(f"{what} must be an object with {', '.join(sorted(names))}; export the votes again")
    return value


def _list(value: object, what: str) -> list[Any]:
    return list(_typed(value, list, what))


def _count(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{what} of the votes must be a whole number of 0 or more, got {str(value)[:40]!r}")
    return value


def _typed(value: object, kind: Any, what: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise InputError(
            f"{what} of the votes is of another type, got {str(value)[:40]!r}; export the votes again"
        )
    return value
