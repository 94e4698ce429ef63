"""Colours: the same source has the same colour in every view, and kept stands out from dropped."""

from __future__ import annotations

from collections.abc import Iterable

# After Paul Tol's "bright" and "vibrant" schemes (colour-blind safe), those of middle lightness, which can be told
# from a white and from a dark page; grey is left out since it means dropped.
PALETTE = (
    "#4477aa",
    "#ee7733",
    "#228833",
    "#cc3377",
    "#33aadd",
    "#bb9911",
    "#aa66cc",
    "#009988",
    "#cc5544",
    "#7788bb",
    "#88aa33",
    "#dd88aa",
)
KEPT = "#2166ac"
DROPPED = "#b8b8b8"


def category_colors(names: Iterable[str]) -> dict[str, str]:
    """A colour for each distinct name, by the order of the sorted names; beyond the palette colours come again."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(sorted(set(names)))}
