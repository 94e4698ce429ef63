"""The selectors, by the name that a recipe's step gives."""

from workbench.selectors import (
    band,
    brevity,
    c4,
    category,
    exact,
    fineweb,
    gneissweb,
    gopher_quality,
    gopher_repetition,
    prototypes,
    random,
    random_budget,
    rank,
    refinedweb,
    semdedup,
    stratified,
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
    "gopher_quality": gopher_quality.SPEC,
    "gopher_repetition": gopher_repetition.SPEC,
    "c4": c4.SPEC,
    "fineweb": fineweb.SPEC,
    "refinedweb": refinedweb.SPEC,
    "gneissweb": gneissweb.SPEC,
    "brevity": brevity.SPEC,
    "stratified": stratified.SPEC,
    "random_budget": random_budget.SPEC,
}

__all__ = ["SELECTORS", "Quantile", "Selection", "SelectorSpec"]
