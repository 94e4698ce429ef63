"""What a selection does to the mix of sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray
from workbench.plots.base import inline, plain
from workbench.plots.colors import category_colors


@dataclass(frozen=True)
class Part:
    """One source before and after.

    Attributes
    ----------
    share, kept_share
        Of all documents and of the kept ones, weighted back to the corpus, 0..1.
    """

    source: str
    documents: int
    kept: int
    share: float
    kept_share: float


def composition(sources: Sequence[str], keep: BoolArray, weights: FloatArray) -> list[Part]:
    """The sources, sorted by name.

    Parameters
    ----------
    sources, keep, weights
        (n,); a weight is how many documents of the corpus, or tokens of it, the document stands for.
    """
    names, codes = np.unique(np.asarray(sources, dtype=object), return_inverse=True)
    n = len(names)

    def shares(rows: Array) -> FloatArray:
        amount = np.bincount(codes[rows], weights=weights[rows], minlength=n)
        return amount / amount.sum() if amount.sum() > 0 else np.zeros(n)

    before, after = shares(np.ones(len(keep), dtype=bool)), shares(keep)
    documents, kept = np.bincount(codes, minlength=n), np.bincount(codes[keep], minlength=n)
    return [
        Part(str(name), int(documents[i]), int(kept[i]), float(before[i]), float(after[i]))
        for i, name in enumerate(names)
    ]


def composition_chart(parts: Sequence[Part]) -> Any:
    """An altair chart: each source's share before and after, side by side."""
    import altair as alt

    colors = category_colors(part.source for part in parts)
    rows = [
        {"source": plain(part.source), "when": when, "share": share, "color": colors[part.source]}
        for part in parts
        for when, share in (("all", part.share), ("kept", part.kept_share))
    ]
    return (
        alt.Chart(inline(rows))
        .mark_bar()
        .encode(
            alt.Y("source:N", title=None),
            alt.YOffset("when:N"),
            alt.X("share:Q", axis=alt.Axis(format="%"), title="share of the corpus"),
            # Not by name: a bar's colours are ordered by an expression that holds all names, and a corpus may call its
            # sources what no expression can hold.
            alt.Color("color:N", scale=None, legend=None),
            alt.Opacity("when:N", scale=alt.Scale(domain=["all", "kept"], range=[0.35, 1.0]), title=None),
        )
        .properties(width=420)
    )
