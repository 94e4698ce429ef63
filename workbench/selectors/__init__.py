"""The selectors, by the name that a recipe's step gives."""

from workbench.selectors import (
    band,
    car,
    category,
    ccs,
    d4,
    dbp,
    density,
    exact,
    kmq,
    prototypes,
    random,
    rank,
    scip,
    semdedup,
    sensitivity,
)
from workbench.selectors.base import Quantile, Selection, SelectorSpec

SELECTORS: dict[str, SelectorSpec] = {
    "band": band.SPEC,
    "category": category.SPEC,
    "random": random.SPEC,
    "rank": rank.SPEC,
    "exact": exact.SPEC,
    "semdedup": semdedup.SPEC,
    "prototypes": prototypes.SPEC,
    "d4": d4.SPEC,
    "dbp": dbp.SPEC,
    "scip": scip.SPEC,
    "kmq": kmq.SPEC,
    "car": car.SPEC,
    "ccs": ccs.SPEC,
    "sensitivity": sensitivity.SPEC,
    "density": density.SPEC,
}

__all__ = ["SELECTORS", "Quantile", "Selection", "SelectorSpec"]
