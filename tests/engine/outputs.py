"""Reading what `apply` wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from workbench.checks import file_digest


def rows_of(out: Path, kind: str) -> list[dict[str, Any]]:
    """All rows of "kept" or "dropped", in the order of shards and rows."""
    return [row for path in sorted((out / kind).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def kept_ids(out: Path) -> set[str]:
    """The kept documents; each stands once."""
    ids = [row["doc_id"] for row in rows_of(out, "kept")]
    assert len(ids) == len(set(ids))
    return set(ids)


def quarantined(out: Path) -> list[dict[str, Any]]:
    """The quarantined rows."""
    files = sorted((out / "quarantine").glob("*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of every file in the three output folders, by its name."""
    return {
        str(path.relative_to(out)): file_digest(path)
        for kind in ("kept", "dropped", "quarantine")
        for path in sorted((out / kind).iterdir())
    }
