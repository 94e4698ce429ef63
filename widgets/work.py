"""Saved work, "bench-state/1": the whole state of a bench as one JSON file, which may be anyone's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from widgets import messages
from widgets.load import MAX_DOCUMENTS, MAX_PATH, MAX_SEED, Draw
from workbench.errors import InputError
from workbench.files import json_bytes
from workbench.scores import SCORES

WORK_FORMAT = "bench-state/1"
MAX_WORK_BYTES = 32 * 2**20
MAX_LASSO = 100_000
_MAX_ID = 4096
_MAX_DIGEST = 64
_MAX_PARTS = 20
_KEYS = ("format", "corpus", "scores", "tab", "lasso", "parts")
_CORPUS_KEYS = ("draw", "fingerprint", "n_documents")


@dataclass(frozen=True)
class Work:
    """What is saved.

    Attributes
    ----------
    draw
        What the sample was drawn with; its path is None where the notebook gave the corpus.
    fingerprint
        Of the corpus, hex; None if nothing was loaded.
    n_documents
        In the sample.
    scores
        The computed scores, each with its settings.
    tab
        The tab that was shown.
    lasso
        Ids of the lassoed documents.
    parts
        What each of `BenchState.saved_parts` gave, by name; "drafts" is always among them.
    """

    draw: Draw
    fingerprint: str | None = None
    n_documents: int = 0
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tab: str = "load"
    lasso: tuple[str, ...] = ()
    parts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As in the file."""
        return {
            "format": WORK_FORMAT,
            "corpus": {
                "draw": asdict(self.draw),
                "fingerprint": self.fingerprint,
                "n_documents": self.n_documents,
            },
            "scores": {name: dict(settings) for name, settings in self.scores.items()},
            "tab": self.tab,
            "lasso": list(self.lasso),
            "parts": dict(self.parts),
        }

    def to_bytes(self) -> bytes:
        """The file's content.

        Raises
        ------
        InputError
            If it would be larger than a file may be.
        """
        content = json_bytes(self.to_json())
        if len(content) > MAX_WORK_BYTES:
            raise InputError(
                f"the work is not saved: it has {len(content):,} bytes, and a file may have {MAX_WORK_BYTES:,}; delete "
                "drafts that you no longer need, or clear the lasso"
            )
        return content


def parse_work(value: object) -> Work:
    """Saved work from its JSON; what its parts hold is checked by each of them.

    Raises
    ------
    InputError
        If it has another format, an unknown or missing key, or a value of the wrong type or size.
    """
    if not isinstance(value, Mapping) or value.get("format") != WORK_FORMAT:
        found = repr(value.get("format") if isinstance(value, Mapping) else value)[:60]
        raise InputError(
            f"saved work has format {WORK_FORMAT!r}, this has {found}; open a file that a bench saved"
        )
    top = messages.record(value, "saved work", _KEYS)
    corpus = messages.record(top["corpus"], "corpus", _CORPUS_KEYS)
    digest = corpus["fingerprint"]
    lasso = messages.entries(top, "lasso", MAX_LASSO)
    if not all(isinstance(doc, str) and len(doc) <= _MAX_ID for doc in lasso):
        raise InputError(f"lasso must be ids of at most {_MAX_ID:,} characters; open another file")
    parts = top["parts"]
    if not isinstance(parts, Mapping) or len(parts) > _MAX_PARTS or "drafts" not in parts:
        raise InputError("parts must be an object with drafts in it; open another file")
    return Work(
        draw=_draw(corpus["draw"]),
        fingerprint=None if digest is None else messages.text(corpus, "fingerprint", at_most=_MAX_DIGEST),
        n_documents=messages.integer(corpus, "n_documents", 0, MAX_DOCUMENTS),
        scores=_scores(top["scores"]),
        tab=messages.text(top, "tab"),
        lasso=tuple(str(doc) for doc in lasso),
        parts=dict(parts),
    )


def _draw(value: object) -> Draw:
    given = messages.record(value, "draw", [f.name for f in fields(Draw)])
    path = given["path"]
    return Draw(
        path=None if path is None else messages.text(given, "path", at_most=MAX_PATH),
        n=messages.integer(given, "n", 1, MAX_DOCUMENTS),
        by_source=messages.flag(given, "by_source"),
        seed=messages.integer(given, "seed", 0, MAX_SEED),
        text_column=messages.text(given, "text_column"),
        id_column=messages.optional_text(given, "id_column"),
        source_column=messages.optional_text(given, "source_column"),
    )


def _scores(value: object) -> dict[str, Mapping[str, Any]]:
    """The scores with their settings; whether a score has such a setting is seen where it is computed."""
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in value.values()):
        raise InputError("scores must map names of scores to their settings; open another file")
    unknown = next((name for name in value if name not in SCORES), None)
    if unknown is not None:
        raise InputError(
            f"there is no score {str(unknown)[:60]!r}; open the file with the workbench that saved it"
        )
    return {str(name): dict(settings) for name, settings in value.items()}
