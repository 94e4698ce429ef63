"""ARPA files: the text form of an n-gram model that every toolkit reads."""

from __future__ import annotations

import gzip
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from workbench.checks import Array, IntArray
from workbench.errors import ModelError
from workbench.files import written_aside
from workbench.models.ngram.backoff import RESERVED, BackoffModel, Grams
from workbench.progress import Progress, shown

_CHUNK = 50_000
_UNKNOWN_LOG_PROB = -100.0  # KenLM's, of a model without <unk>
_COUNT = re.compile(rb"ngram (\d+)\s*=\s*(\d+)")


def write_arpa(model: BackoffModel, path: Path, progress: Progress) -> None:
    """Write a model, aside and renamed; `progress` advances by n-grams.

    Raises
    ------
    StoreError
        If the disk is full or can't be written.
    """
    names = np.array(model.words, dtype=object)
    with (
        written_aside(path) as aside,
        aside.open("w", encoding="utf-8", newline="\n") as file,
        shown(progress, "writing the n-gram model", sum(map(len, model.orders))),
    ):
        file.write("\\data\\\n")
        file.writelines(f"ngram {n}={len(grams)}\n" for n, grams in enumerate(model.orders, 1))
        for n, grams in enumerate(model.orders, 1):
            file.write(f"\n\\{n}-grams:\n")
            for first in range(0, len(grams), _CHUNK):
                rows = np.arange(first, min(first + _CHUNK, len(grams)))
                texts = map(
                    " ".join, zip(*(names[ids].tolist() for ids in words_of(model, n, rows)), strict=True)
                )
                probs = grams.log_prob[rows].tolist()
                if n < len(model.orders):
                    backoffs = grams.log_backoff[rows].tolist()
                    file.writelines(
                        f"{p:.7g}\t{text}\t{b:.7g}\n"
                        for p, text, b in zip(probs, texts, backoffs, strict=True)
                    )
                else:
                    file.writelines(f"{p:.7g}\t{text}\n" for p, text in zip(probs, texts, strict=True))
                progress.advance(len(rows))
        file.write("\n\\end\\\n")


def words_of(model: BackoffModel, order: int, rows: IntArray) -> list[IntArray]:
    """The word ids of n-grams, one array a position."""
    columns = []
    for n in range(order, 0, -1):
        grams = model.orders[n - 1]
        columns.append(grams.word[rows])
        rows = grams.prefix[rows]
    return columns[::-1]


def read_arpa(path: Path) -> BackoffModel:
    """Read a model from an .arpa or .arpa.gz file.

    Raises
    ------
    ModelError
        If the file can't be read, isn't ARPA, is cut off, or holds an n-gram without the one it extends.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            return _parse(file, path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise ModelError(f"{path.name} can't be read ({error}); get the n-gram model again") from None


def _parse(file: Iterable[bytes], name: str) -> BackoffModel:
    # Bytes are cut at ASCII white space only; in a str a word with a no-break space would be two.
    lines = (line.strip() for line in file)
    counts = _header(lines, name)
    ids: dict[bytes, int] = {word.encode(): i for i, word in enumerate(RESERVED)}
    orders: list[Grams] = []
    for n, count in enumerate(counts, 1):
        words, values = _section(lines, n, count, ids, name)
        orders.append(
            _unigrams(words, values, len(ids)) if n == 1 else _higher(words, values, orders, len(ids), name)
        )
    if next(filter(None, lines), b"") != b"\\end\\":
        raise _damaged(name, "it doesn't end with \\end\\")
    return BackoffModel(tuple(word.decode(errors="replace") for word in ids), tuple(orders))


def _header(lines: Iterator[bytes], name: str) -> list[int]:
    if next(filter(None, lines), b"") != b"\\data\\":
        raise _damaged(name, "it doesn't begin with \\data\\")
    counts: list[int] = []
    for line in lines:
        if not line:
            break
        match = _COUNT.fullmatch(line)
        if match is None or int(match[1]) != len(counts) + 1:
            raise _damaged(name, f"its head has the line {_shown(line)}")
        counts.append(int(match[2]))
    if not counts:
        raise _damaged(name, "its head counts no n-grams")
    return counts


def _section(
    lines: Iterator[bytes], order: int, count: int, ids: dict[bytes, int], name: str
) -> tuple[IntArray, Array]:
    """Word ids (count, order) and log10 of probability and backoff (count, 2); new words only in order 1."""
    head = next(filter(None, lines), b"")
    if head != b"\\%d-grams:" % order:
        raise _damaged(name, f"{_shown(head)} stands where the {order}-grams begin")
    words, values = array("q"), array("d")
    for row in range(count):
        line = next(lines, b"")
        parts = line.split()
        try:
            if order == 1 and len(parts) > 1:
                ids.setdefault(parts[1], len(ids))
            words.extend([ids[word] for word in parts[1 : order + 1]])
            values.extend((float(parts[0]), float(parts[order + 1]) if len(parts) > order + 1 else 0.0))
        except (KeyError, ValueError, IndexError):
            parts = []
        if len(parts) not in (order + 1, order + 2):
            raise _damaged(name, f"its {order}-gram {row + 1} of {count} is {_shown(line)}")
    return np.array(words).reshape(-1, order), np.array(values).reshape(-1, 2)


def _unigrams(words: IntArray, values: Array, n_words: int) -> Grams:
    every = np.arange(n_words)
    probs, backoffs = np.full(n_words, _UNKNOWN_LOG_PROB), np.zeros(n_words)
    probs[words[:, 0]], backoffs[words[:, 0]] = values.T
    return Grams(np.zeros_like(every), every, probs, backoffs)


def _higher(words: IntArray, values: Array, lower: list[Grams], n_words: int, name: str) -> Grams:
    model = BackoffModel([""] * n_words, tuple(lower))
    prefix = words[:, 0]
    for n in range(2, words.shape[1]):
        prefix = model.find(n, prefix, words[:, n - 1])
    if (prefix < 0).any():
        raise _damaged(name, f"a {words.shape[1]}-gram extends an n-gram that isn't there")
    order = np.lexsort((words[:, -1], prefix))
    return Grams(prefix[order], words[order, -1], values[order, 0], values[order, 1])


def _shown(line: bytes) -> str:
    return repr(line[:60].decode(errors="replace"))


def _damaged(name: str, what: str) -> ModelError:
    return ModelError(f"{name} is no whole ARPA file: {what}; get the n-gram model again, or train it anew")
