"""The selectors, by the name that a recipe's step gives."""

from workbench.selectors import (
    band,
    c4,
    car,
    category,
    ccs,
    d4,
    dbp,
    density,
    dpp,
    exact,
    fineweb,
    gopher_quality,
    gopher_repetition,
    kmq,
    minhash,
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
    "minhash": minhash.SPEC,
    "semdedup": semdedup.SPEC,
    "prototypes": prototypes.SPEC,
    "d4": d4.SPEC,
    "dbp": dbp.SPEC,
    "gopher_quality": gopher_quality.SPEC,
    "gopher_repetition": gopher_repetition.SPEC,
    "c4": c4.SPEC,
    "fineweb": fineweb.SPEC,
    "dpp": dpp.SPEC,
    "scip": scip.SPEC,
    "kmq": kmq.SPEC,
    "car": car.SPEC,
    "ccs": ccs.SPEC,
    "sensitivity": sensitivity.SPEC,
    "density": density.SPEC,
}

__all__ = ["SELECTORS", "Quantile", "Selection", "SelectorSpec"]
