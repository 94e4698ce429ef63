"""The selectors, by the name that a recipe's step gives."""

from workbench.selectors import band, category, cit, dsir, exact, prototypes, random, rank, rds, semdedup
from workbench.selectors.base import Quantile, Selection, SelectorSpec

SELECTORS: dict[str, SelectorSpec] = {
    "band": band.SPEC,
    "category": category.SPEC,
    "random": random.SPEC,
    "rank": rank.SPEC,
    "exact": exact.SPEC,
    "semdedup": semdedup.SPEC,
    "prototypes": prototypes.SPEC,
    "dsir": dsir.SPEC,
    "rds": rds.SPEC,
    "cit": cit.SPEC,
}

__all__ = ["SELECTORS", "Quantile", "Selection", "SelectorSpec"]
