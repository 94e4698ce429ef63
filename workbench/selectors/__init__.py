"""The selectors, by the name that a recipe's step gives."""

from workbench.selectors import (
    band,
    category,
    crest,
    dpp,
    exact,
    prototypes,
    random,
    rank,
    rank_average,
    semdedup,
    tagcos,
)
from workbench.selectors.base import Quantile, Selection, SelectorSpec

SELECTORS: dict[str, SelectorSpec] = {
    "band": band.SPEC,
    "category": category.SPEC,
    "random": random.SPEC,
    "rank": rank.SPEC,
    "rank_average": rank_average.SPEC,
    "exact": exact.SPEC,
    "semdedup": semdedup.SPEC,
    "prototypes": prototypes.SPEC,
    "dpp": dpp.SPEC,
    "tagcos": tagcos.SPEC,
    "crest": crest.SPEC,
}

__all__ = ["SELECTORS", "Quantile", "Selection", "SelectorSpec"]
