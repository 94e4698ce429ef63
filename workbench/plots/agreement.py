"""How far scores agree about the order of documents, as a heat map."""

from __future__ import annotations

import math
from typing import Any, Literal

from workbench.plots.base import inline
from workbench.stats.agreement import Agreement

Measure = Literal["spearman", "kendall", "overlap"]
_CELL = 56


def agreement_rows(agreement: Agreement, measure: Measure) -> list[dict[str, Any]]:
    """One cell each: two scores, the value (None where there is none), its words, and what a tooltip says."""
    matrix = {"spearman": agreement.spearman, "kendall": agreement.kendall, "overlap": agreement.overlap}[
        measure
    ]
    rows = []
    for i, a in enumerate(agreement.names):
        for j, b in enumerate(agreement.names):
            value, low, high = (float(m[i, j]) for m in (matrix, agreement.low, agreement.high))
            known = not math.isnan(value)
            interval = f"{low:.2f} to {high:.2f}" if known and measure == "spearman" and i != j else ""
            rows.append(
                {
                    "a": a,
                    "b": b,
                    "value": value if known else None,
                    "shown": f"{value:.2f}" if known else "–",
                    "interval": interval,
                    "documents": int(agreement.n[i, j]),
                }
            )
    return rows


def agreement_chart(agreement: Agreement, measure: Measure = "spearman") -> Any:
    """An altair chart: every score against every other, blue where they agree and red where they disagree."""
    import altair as alt

    params = agreement.params
    titles = {
        "spearman": "Spearman's rank correlation",
        "kendall": "Kendall's tau-b",
        "overlap": f"share of the {params.end}est {params.top_fraction:.0%} in common",
    }
    order = list(agreement.names)
    base = alt.Chart(inline(agreement_rows(agreement, measure))).encode(
        alt.X("a:N", sort=order, title=None, axis=alt.Axis(labelAngle=-40)),
        alt.Y("b:N", sort=order, title=None),
        tooltip=[
            alt.Tooltip("a:N", title="score"),
            alt.Tooltip("b:N", title="and"),
            alt.Tooltip("value:Q", title=titles[measure], format=".3f"),
            *(
                [alt.Tooltip("interval:N", title=f"{agreement.level:.0%} interval")]
                if measure == "spearman"
                else []
            ),
            alt.Tooltip("documents:Q", title="documents with both", format=","),
        ],
    )
    domain = [0.0, 1.0] if measure == "overlap" else [-1.0, 1.0]
    scheme: Any = "blues" if measure == "overlap" else "redblue"
    cells = base.mark_rect().encode(
        alt.Color("value:Q", scale=alt.Scale(domain=domain, scheme=scheme), title=None)
    )
    dark = alt.expr.abs(alt.datum.value) > 0.6
    words = base.mark_text().encode(
        text="shown:N", color=alt.condition(dark, alt.value("white"), alt.value("black"))
    )
    size = _CELL * len(order)
    return (cells + words).properties(title=titles[measure], width=size, height=size)
