"""Texts to unit vectors with a static model: the mean of its tokens' vectors. No transformer, no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from workbench.checks import FloatArray, IntArray
from workbench.errors import ModelError
from workbench.models.base import Definition
from workbench.models.embedding.vectors import combine, cut, make_chunks, unit
from workbench.models.locate import Located, locate, package_folder
from workbench.models.runtime import read_settings, reason
from workbench.progress import Progress

WORDLLAMA = "wordllama"

_WORDLLAMA_FILES = {
    "weights/l2_supercat_256.safetensors": "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
    "tokenizers/l2_supercat_tokenizer_config.json": (
        "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68"
    ),
}
# What model2vec takes where a model's settings don't say.
_MODEL2VEC_MAX_TOKENS = 512
# The name of the table of vectors in model2vec's own files, and in sentence-transformers'.
_MODEL2VEC, _SENTENCE = "embeddings", "embedding.weight"
_BATCH_CHARS = 1_000_000
# Rows of the table that are gathered at a time.
_GATHER = 4096


def locate_static(name: str, revision: str | None = None) -> Located:
    """Find a static model: "wordllama", a folder of model2vec or sentence-transformers, or a hub id.

    Raises
    ------
    ModelError
        If it isn't there, or its package isn't installed.
    """
    if name != WORDLLAMA:
        return locate(name, "embedder", revision)
    folder = package_folder(WORDLLAMA, WORDLLAMA, "wordllama")
    for file in _WORDLLAMA_FILES:
        if not (folder / file).is_file():
            raise ModelError(f"model wordllama lacks its file {file}; install its package again")
    return Located(WORDLLAMA, folder, tuple(sorted(_WORDLLAMA_FILES)), pinned=_WORDLLAMA_FILES, built_in=True)


def static_definition(located: Located) -> Definition:
    """Everything that decides the vectors; the weights are digested, and only their names are read.

    `max_tokens` is None where a text isn't cut off. `drops_unknown` says that tokens outside the vocabulary
    don't count: model2vec leaves them out, sentence-transformers gives them their vector.

    Raises
    ------
    ModelError
        If the folder holds no table of vectors.
    """
    from safetensors import safe_open

    files = located.digests()
    with safe_open(_weights(located), framework="numpy") as opened:
        names = set(opened.keys())
    if _MODEL2VEC not in names and _SENTENCE not in names:
        raise ModelError(
            f"model {located.id!r} holds no table of vectors ({_MODEL2VEC} or {_SENTENCE}); "
            f"give a folder of model2vec, or of a StaticEmbedding of sentence-transformers"
        )
    own = _MODEL2VEC in names
    return {
        "kind": "embedder",
        "method": "static",
        "id": located.id,
        "revision": located.revision,
        "dtype": "float32",
        "max_tokens": _limit(located) if own else None,
        "drops_unknown": own,
        "special_tokens": "as text",
        "normalised": True,
        "files": files,
    }


class StaticEmbedder:
    """A table of token vectors; a text's vector is the mean of its tokens', scaled to length 1.

    A text without a token that counts has no vector: NaN. Equal to model2vec's `encode` and to
    sentence-transformers' StaticEmbedding up to rounding, and normalised whether they do so or not.

    Raises
    ------
    ModelError
        If table and tokenizer can't be read, or don't fit each other.
    """

    def __init__(self, located: Located, definition: Definition) -> None:
        self._definition = definition
        self._table, self._row_of = _read_table(located)
        self.dimension = int(self._table.shape[1])
        self._tokenizer = _read_tokenizer(located)
        n_tokens = len(self._table) if self._row_of is None else len(self._row_of)
        if self._tokenizer.get_vocab_size() > n_tokens:
            raise ModelError(
                f"model {located.id!r} has {self._tokenizer.get_vocab_size()} tokens and {n_tokens} vectors; "
                "get the model again"
            )
        limit = definition["max_tokens"]
        self._max_tokens = None if limit is None else int(str(limit))
        self._unknown = _unknown_token(self._tokenizer) if definition["drops_unknown"] else None

    def definition(self) -> Definition:
        return self._definition

    def encode(self, texts: Sequence[str], progress: Progress, *, max_chunks: int = 1) -> FloatArray:
        pieces = []
        for text, ids in zip(texts, self._ids(texts, max_chunks), strict=True):
            room = self._max_tokens or max(len(ids), 1)
            pieces.append([(piece, len(piece)) for piece in cut(ids.tolist(), room, max_chunks)])
            progress.advance(len(text))
        chunks = make_chunks(pieces)
        sums = np.array([self._sum(ids) for ids in chunks.ids]).reshape(-1, self.dimension)
        return combine(unit(sums), chunks, len(texts))

    def count_chunks(self, texts: Sequence[str]) -> IntArray:
        lengths = np.array([len(ids) for ids in self._ids(texts, None)], dtype=np.int64)
        return -(-lengths // self._max_tokens) if self._max_tokens else np.minimum(lengths, 1)

    def _ids(self, texts: Sequence[str], max_chunks: int | None) -> list[IntArray]:
        """The tokens of each text that count, of its first `max_tokens * max_chunks`."""
        limit = None if self._max_tokens is None or max_chunks is None else self._max_tokens * max_chunks
        if limit is not None:
            # As model2vec cuts: by characters first, so that a long text needn't be tokenised.
            texts = [text[: limit * self._median_token_chars] for text in texts]
        found: list[IntArray] = []
        ends = np.cumsum([len(text) for text in texts]) // _BATCH_CHARS
        for batch in np.split(np.arange(len(texts)), np.flatnonzero(np.diff(ends)) + 1):
            encoded = self._tokenizer.encode_batch_fast([texts[i] for i in batch], add_special_tokens=False)
            for one in encoded:
                ids = np.array(one.ids[:limit], dtype=np.int64)
                found.append(ids if self._unknown is None else ids[ids != self._unknown])
        return found

    def _sum(self, ids: Sequence[int]) -> FloatArray:
        """The sum of the tokens' vectors, float64 (d,), in the order of the text."""
        total = np.zeros(self.dimension)
        tokens = np.asarray(ids, dtype=np.int64)
        rows: IntArray = tokens if self._row_of is None else self._row_of[tokens]
        for start in range(0, len(rows), _GATHER):
            total += self._table[rows[start : start + _GATHER]].sum(axis=0, dtype=np.float64)
        return total

    @cached_property
    def _median_token_chars(self) -> int:
        return int(np.median([len(token) for token in self._tokenizer.get_vocab()]))


def _weights(located: Located) -> Any:
    return located.folder / next(name for name in located.files if name.endswith(".safetensors"))


def _config(located: Located) -> dict[str, Any]:
    path = located.folder / "config.json"
    return read_settings(path) if path.is_file() else {}


def _limit(located: Located) -> int | None:
    """The maximum of tokens that a model2vec folder says."""
    limit = _config(located).get("max_length", _MODEL2VEC_MAX_TOKENS)
    if limit is not None and (type(limit) is not int or limit < 1):
        raise ModelError(
            f"max_length of model {located.id!r} must be at least 1 or null, got {limit!r}; mend its config.json"
        )
    return limit


def _read_table(located: Located) -> tuple[FloatArray, IntArray | None]:
    """Vectors, float32, and the row of each token where tokens share rows.

    Token weights, which model2vec keeps apart where tokens share rows, then need a row a token after all.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(_weights(located))
    except (SafetensorError, OSError) as error:
        raise ModelError(f"the vectors of model {located.id!r} can't be read ({reason(error)})") from error
    table = arrays.get(_MODEL2VEC, arrays.get(_SENTENCE))
    if table is None or table.ndim != 2:
        raise ModelError(f"model {located.id!r} holds no table of vectors; get the model again")
    rows, weights = arrays.get("mapping"), arrays.get("weights")
    table = table.astype(np.float32)
    n_tokens = len(table) if rows is None else len(rows)
    if (rows is not None and (rows.min(initial=0) < 0 or rows.max(initial=0) >= len(table))) or (
        weights is not None and len(weights) != n_tokens
    ):
        raise ModelError(f"rows and weights of model {located.id!r} don't fit its table; get the model again")
    if weights is not None:
        expanded = table if rows is None else table[rows]
        return expanded * weights.astype(np.float32)[:, None], None
    return table, None if rows is None else rows.astype(np.int64)


def _read_tokenizer(located: Located) -> Any:
    import tokenizers

    # A sentence-transformers folder may keep table and tokenizer in a folder of the module.
    names = [n for n in located.files if n.endswith(("tokenizer.json", "tokenizer_config.json"))]
    name = next((n for n in names if n.endswith("tokenizer.json")), names[0] if names else None)
    if name is None:
        raise ModelError(f"model {located.id!r} lacks its tokenizer.json; get the complete model")
    try:
        backend = tokenizers.Tokenizer.from_file(str(located.folder / name))
    except Exception as error:
        raise ModelError(
            f"model {located.id!r} has no tokenizer that can be read ({reason(error)}); get the model again"
        ) from error
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    return backend


def _unknown_token(tokenizer: Any) -> int | None:
    """The id that stands for what isn't in the vocabulary."""
    model = json.loads(tokenizer.to_str())["model"]
    if model.get("unk_token") is not None:
        found = tokenizer.token_to_id(model["unk_token"])
    else:
        found = model.get("unk_id")
    return None if found is None else int(found)
