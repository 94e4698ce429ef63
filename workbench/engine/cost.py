"""What a score costs: measured a part at a time while it is computed, extrapolated to a corpus."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from workbench.checks import Array
from workbench.errors import InputError

_FILE = "costs.jsonl"
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class PartCost:
    """One part of a column that was computed.

    Attributes
    ----------
    score
        The pass, by its first score.
    model
        Id of the model that did the work, "" for none.
    device
        Where it ran: "cuda NVIDIA H200" or "cpu, 2 threads".
    n_documents, n_bytes, n_tokens
        Of the part; n_tokens is None if nobody counted them.
    seconds
        On the clock, from texts to values; loading models isn't in it.
    is_first
        Whether it is a run's first part, whose seconds hold what is done once: imports, tables, compiled code.
    """

    score: str
    model: str
    device: str
    n_documents: int
    n_bytes: int
    n_tokens: int | None
    seconds: float
    is_first: bool = False


@dataclass(frozen=True)
class CostEstimate:
    """What one pass over a corpus costs on one device like the one measured.

    Attributes
    ----------
    score, model, device
        As measured.
    n_parts, n_documents, seconds
        What was measured, without the first part of each run where there are others.
    bytes_per_second
        Throughput.
    hours, low, high
        Device hours for the corpus and their 95 % interval; from one part alone the interval isn't known (None).
    """

    score: str
    model: str
    device: str
    n_parts: int
    n_documents: int
    seconds: float
    bytes_per_second: float
    hours: float
    low: float | None
    high: float | None


@contextmanager
def measured(
    store: Path,
    score: str,
    model: str,
    device: str,
    texts: Sequence[str],
    *,
    is_first: bool = False,
    unless: Callable[[], bool] = lambda: False,
) -> Iterator[dict[str, Array]]:
    """Measure the block and write it down beside the columns; the block fills in what it computed, for its counts.

    `unless` is asked at the end whether the seconds say nothing of the score.
    """
    values: dict[str, Array] = {}
    started = time.perf_counter()
    yield values
    seconds = time.perf_counter() - started
    if unless():
        return
    n_bytes = sum(len(text.encode()) for text in texts)
    cost = PartCost(
        score, model, device, len(texts), n_bytes, _count_tokens(values), round(seconds, 6), is_first
    )
    # Where this can't be written the column can't either, which says so in a sentence of its own.
    with suppress(OSError):
        store.mkdir(parents=True, exist_ok=True)
        with (store / _FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(cost)) + "\n")


def _count_tokens(values: Mapping[str, Array]) -> int | None:
    """Tokens of the documents, where the pass counted them."""
    if "n_tokens" in values:
        return int(np.sum(values["n_tokens"]))
    if {"n_scored", "n_truncated_tokens"} <= set(values):
        return int(np.sum(values["n_scored"]) + np.sum(values["n_truncated_tokens"]))
    return None


def read_costs(store: Path) -> list[PartCost]:
    """What was measured in a store; lines that a kill cut off are passed over."""
    path = store / _FILE
    names = {field.name for field in fields(PartCost)}
    costs = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and set(value) == names:
            costs.append(PartCost(**value))
    return costs


def bytes_per_token(costs: Sequence[PartCost]) -> float | None:
    """UTF-8 bytes of a token over the parts of which both were counted; None if there are none."""
    known = [cost for cost in costs if cost.n_tokens]
    return sum(c.n_bytes for c in known) / sum(c.n_tokens or 0 for c in known) if known else None


def estimate_costs(costs: Sequence[PartCost], n_bytes: float) -> list[CostEstimate]:
    """What each score that was measured would cost on a corpus of `n_bytes` bytes of text.

    Parameters
    ----------
    costs
        Measured parts.
    n_bytes
        UTF-8 bytes of the corpus, above 0.

    Raises
    ------
    InputError
        If nothing was measured, or `n_bytes` isn't above 0.

    Notes
    -----
    The ratio estimator of seconds a byte, with its interval from the spread between parts (Cochran 1977,
    section 6.3) and Student's t. It holds for documents like the sample's, on a device like the one measured:
    a corpus of longer documents costs less a byte where a model reads only a document's beginning.
    """
    if not costs:
        raise InputError("nothing was measured in this store; compute a score first: workbench score")
    if not n_bytes > 0:
        raise InputError(f"a corpus has more than 0 bytes, got {n_bytes:g}")
    groups: dict[tuple[str, str, str], list[PartCost]] = {}
    for cost in costs:
        groups.setdefault((cost.score, cost.model, cost.device), []).append(cost)
    return [_estimate([p for p in parts if not p.is_first] or parts, n_bytes) for parts in groups.values()]


def _estimate(parts: list[PartCost], n_bytes: float) -> CostEstimate:
    sizes = np.array([max(part.n_bytes, 1) for part in parts], dtype=np.float64)
    seconds = np.array([part.seconds for part in parts])
    ratio = seconds.sum() / sizes.sum()
    hours = ratio * n_bytes / 3600
    low = high = None
    if len(parts) > 1:
        from scipy import stats

        residuals = seconds - ratio * sizes
        error = np.sqrt(residuals @ residuals / (len(parts) - 1) / len(parts)) / sizes.mean()
        half = float(stats.t.ppf((1 + _CONFIDENCE) / 2, len(parts) - 1) * error)
        low, high = max(ratio - half, 0.0) * n_bytes / 3600, (ratio + half) * n_bytes / 3600
    return CostEstimate(
        *(parts[0].score, parts[0].model, parts[0].device),
        n_parts=len(parts),
        n_documents=sum(part.n_documents for part in parts),
        seconds=float(seconds.sum()),
        bytes_per_second=float(1 / ratio),
        hours=float(hours),
        low=None if low is None else float(low),
        high=None if high is None else float(high),
    )
