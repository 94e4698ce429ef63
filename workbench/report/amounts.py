"""What the report counts: documents, tokens and bytes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from workbench.checks import IntArray
from workbench.engine.export import ALWAYS
from workbench.engine.table import Table

UNITS = {"n_documents": "documents", "n_tokens": "tokens", "n_bytes": "bytes"}


def amounts_of(scored: Table) -> dict[str, IntArray]:
    """What is counted of each document, int64 (n,): documents, and tokens and bytes where they were scored."""
    counts = {name: scored.scores[name].astype(np.int64) for name in ALWAYS if name in scored.scores}
    return {"n_documents": np.ones(len(scored), dtype=np.int64), **counts}


def json_text(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)
