"""One document as the reader shows it: its text by the piece, its scores, verdicts, near-copies and surprise."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from widgets.difference import difference
from widgets.pages import READ_CHARS, first_line
from workbench.models.base import Surprisal
from workbench.plots.axis import short
from workbench.scores import SCORES

if TYPE_CHECKING:
    from widgets.state import BenchState

SURPRISE_CHARS = 1_000_000
"""The longest text whose tokens are coloured: a longer one would be tokenised whole for its first few."""

_FOLD_CHARS = 600


def document(bench: BenchState, row: int) -> dict[str, Any]:
    """What the reader shows of a document; of its text only the first piece."""
    sample = bench.loaded.sample
    text, step = sample.texts[row], int(bench.dropped_by[row])
    verdicts, not_asked = bench.reading.other_verdicts(row)
    steps = [step_name(i, one.to_json()) for i, one in enumerate(bench.recipe.steps)]
    return {
        "row": row,
        "id": sample.doc_ids[row],
        "source": sample.sources[row],
        "text": text[:READ_CHARS],
        "total": len(text),
        "kept": step < 0,
        "step": None if step < 0 else steps[step],
        "reason": bench.outcome.reason(row) if bench.outcome is not None else None,
        "also": [[steps[v.step], v.reason] for v in verdicts],
        "notAsked": [steps[i] for i in not_asked],
        "scores": score_lines(bench, row),
        "copies": [
            {"by": by, "most": most, "rows": [[other, alike, *_of(bench, other)] for other, alike in found]}
            for by, found, most in bench.reading.near_copies(row)
        ],
    }


def _of(bench: BenchState, row: int) -> tuple[str, bool, str]:
    sample = bench.loaded.sample
    return sample.sources[row], bool(bench.keep[row]), first_line(sample.texts[row])


def score_lines(bench: BenchState, row: int) -> list[list[Any]]:
    """Name, value in words and percentile rank (0..1, None where there is none) of each score of a document."""
    percentiles = bench.reading.percentiles(row)
    return [[name, value_of(bench, name, row), percentiles.get(name)] for name in bench.bins.charts]


def value_of(bench: BenchState, score: str, row: int) -> str:
    """The score of a document in words."""
    value = float(bench.loaded.scores[score][row])
    if not math.isfinite(value):
        return "not scored"
    labels = SCORES[score].labels
    return labels[int(value)] if labels else short(value) if abs(value) >= 1e6 else f"{value:,.6g}"


def step_name(index: int, step: Mapping[str, Any]) -> str:
    """A step (as its `to_json` gives it) in a few words, counted from 1."""
    detail = step.get("score") or ", ".join(
        f"{k} {v}" for k, v in step.items() if k in ("fraction", "epsilon")
    )
    return f"{index + 1}. {step['select']}" + (f" {detail}" if detail else "")


def compared(bench: BenchState, row: int, other: int) -> dict[str, Any]:
    """The difference of two documents' texts, with long passages that both have folded to their ends."""
    sample = bench.loaded.sample
    found = difference(sample.texts[row], sample.texts[other])
    runs: list[tuple[str, str, int, str]] = []
    for side, text in found.runs:
        cut = len(text) - _FOLD_CHARS if side == "both" else 0
        half = _FOLD_CHARS // 2
        runs.append((side, text[:half], cut, text[-half:]) if cut > 0 else (side, text, 0, ""))
    # The page gets as much text as two pieces of the reader, and is told that there is more.
    lengths = np.cumsum([len(head) + len(tail) for _, head, _, tail in runs])
    shown = runs[: int((lengths <= 2 * READ_CHARS).sum())]
    return {
        "row": row,
        "other": other,
        "id": sample.doc_ids[other],
        "runs": [list(run) for run in shown],
        "whole": found.is_whole and len(shown) == len(runs),
    }


def coloured(text: str, surprisal: Surprisal) -> list[list[Any]]:
    """A text's beginning as pieces, each with its surprise in bits (None of what is only read).

    Tokens that end at the same character (bytes of one) are one piece with the sum of their bits, and so are tokens
    whose text begins with a combining character: a letter isn't split from its accent.
    """
    pieces: list[list[Any]] = []
    start = 0
    for end, bits in zip(surprisal.ends.tolist(), surprisal.bits.tolist(), strict=True):
        value = None if math.isnan(bits) else bits
        if end > READ_CHARS:
            break
        piece = text[start:end]
        start = max(start, end)
        if pieces and (not piece or unicodedata.combining(piece[0]) or piece[0] == "\u200d"):
            pieces[-1][0] += piece
            if value is not None:
                pieces[-1][1] = value + (pieces[-1][1] or 0.0)
        else:
            pieces.append([piece, value])
    return [[piece, None if value is None else round(value, 2)] for piece, value in pieces]
