"""The kinds of embedder behind one name: what `--embedder` may say, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.checks import FloatArray, IntArray
from workbench.errors import InputError, ModelError
from workbench.models.base import Definition, Embedder
from workbench.models.embedding.pooled import POOLINGS, PooledLM, pooled_definition
from workbench.models.embedding.sentence import SentenceEmbedder, embedder_definition
from workbench.models.embedding.static import StaticEmbedder, locate_static, static_definition
from workbench.models.embedding.tfidf import ANALYZERS, NAME, TfidfSvd, tfidf_definition
from workbench.models.locate import Located, locate
from workbench.progress import Progress

SENTENCE, STATIC, COLUMN = "sentence", "static", "column"

_PREFIXES = (*POOLINGS, STATIC, COLUMN, NAME)
KINDS = (
    "MODEL (a sentence-transformers model), last-token:MODEL, mean:MODEL or rds:MODEL (a causal language model), "
    f"static:MODEL, {NAME}, {NAME}:chars, or column:NAME"
)


@dataclass(frozen=True)
class EmbedderName:
    """What `--embedder` names.

    Attributes
    ----------
    method
        "sentence", "last-token", "mean", "rds", "static", "tfidf-svd" or "column".
    of
        The model, the analyzer of tfidf-svd, or the column.
    """

    method: str
    of: str

    def __str__(self) -> str:
        return self.of if self.method == SENTENCE else f"{self.method}:{self.of}"


def parse_embedder(name: str) -> EmbedderName:
    """Read the name of an embedder: PREFIX:NAME, "tfidf-svd", or a model alone.

    A folder whose name begins with a prefix is given as ./PREFIX:NAME.

    Raises
    ------
    ModelError
        If nothing follows the prefix, or tfidf-svd has another analyzer.

    Examples
    --------
    >>> parse_embedder("rds:reference-lm"), parse_embedder("tfidf-svd").of
    (EmbedderName(method='rds', of='reference-lm'), 'words')
    """
    prefix, colon, rest = name.partition(":")
    if prefix not in _PREFIXES or (prefix != NAME and not colon):
        return EmbedderName(SENTENCE, name)
    if prefix == NAME:
        rest = rest if colon else ANALYZERS[0]
        if rest not in ANALYZERS:
            raise ModelError(
                f"{NAME} takes n-grams of {' or '.join(ANALYZERS)}, got {name!r}; give {NAME}:chars"
            )
    if not rest:
        raise ModelError(f"the embedder {name!r} names nothing after its colon; give {KINDS}")
    return EmbedderName(prefix, rest)


def method_of(definition: Definition) -> str:
    """The method that a definition says; it says none for sentence-transformers models."""
    return str(definition.get("method", SENTENCE))


def named_in(definition: Definition, given: str | None) -> EmbedderName:
    """The embedder that a definition asks for, at another place if one is given.

    `given` may leave the prefix out: the definition has it.

    Raises
    ------
    ModelError
        If `given` names an embedder of another kind.
    """
    method = method_of(definition)
    own = str(definition["id"])
    if given is None:
        return parse_embedder(own) if method in (NAME, COLUMN) else EmbedderName(method, own)
    name = parse_embedder(given)
    if name.method == SENTENCE != method:
        name = EmbedderName(method, given)
    if name.method != method or (method in (NAME, COLUMN) and name != parse_embedder(own)):
        raise ModelError(
            f"the vectors are those of {own!r} ({method}), got {given!r}; name an embedder of that kind"
        )
    return name


def locate_embedder(name: EmbedderName, revision: str | None = None) -> Located | None:
    """Where its model lies; None if it has none."""
    if name.method in (NAME, COLUMN):
        return None
    if name.method == STATIC:
        return locate_static(name.of, revision)
    return locate(name.of, "lm" if name.method in POOLINGS else "embedder", revision)


def define_embedder(name: EmbedderName, located: Located | None, dtype: str | None = None) -> Definition:
    """Everything that decides an embedder's vectors, but for a fitted state."""
    if name.method == NAME:
        return tfidf_definition(name.of)
    if located is None:
        return column_definition(name.of)
    if name.method == STATIC:
        return static_definition(located)
    if name.method in POOLINGS:
        return pooled_definition(located, name.method, dtype)
    return embedder_definition(located, dtype)


def load_embedder(definition: Definition, located: Located | None) -> Embedder:
    """The embedder that a definition describes."""
    method = method_of(definition)
    if method == NAME:
        return TfidfSvd(definition)
    if located is None:
        return ColumnEmbedder(definition)
    if method == STATIC:
        return StaticEmbedder(located, definition)
    if method in POOLINGS:
        return PooledLM(located, definition)
    return SentenceEmbedder(located, definition=definition)


def column_definition(column: str) -> Definition:
    """What decides the vectors of a column that the corpus brings, beside the column itself."""
    return {
        "kind": "embedder",
        "method": COLUMN,
        "id": f"{COLUMN}:{column}",
        "revision": None,
        "column": column,
        "normalised": True,
        "files": {},
    }


class ColumnEmbedder:
    """Stands for vectors that the corpus brings: there is nothing to compute from a text."""

    dimension = 0

    def __init__(self, definition: Definition) -> None:
        self._definition = definition

    def definition(self) -> Definition:
        return self._definition

    def encode(self, texts: Sequence[str], progress: Progress, *, max_chunks: int = 1) -> FloatArray:
        raise InputError(f"{self._definition['id']} takes vectors from a column; it can't embed a text")

    def count_chunks(self, texts: Sequence[str]) -> IntArray:
        raise InputError(
            f"{self._definition['id']} takes vectors from a column; it can't cut a text into chunks"
        )
