"""The selectors, by the name that a recipe's step gives."""

from workbench.selectors import (
    band,
    c4,
    category,
    crest,
    d4,
    dbp,
    dpp,
    exact,
    fineweb,
    gopher_quality,
    gopher_repetition,
    minhash,
    prototypes,
    random,
    rank,
    rank_average,
    semdedup,
    tagcos,
    vote,
)
from workbench.selectors.base import Quantile, Selection, SelectorSpec

SELECTORS: dict[str, SelectorSpec] = {
    "band": band.SPEC,
    "category": category.SPEC,
    "vote": vote.SPEC,
    "random": random.SPEC,
    "rank": rank.SPEC,
    "rank_average": rank_average.SPEC,
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
    "tagcos": tagcos.SPEC,
    "crest": crest.SPEC,
}

__all__ = ["SELECTORS", "Quantile", "Selection", "SelectorSpec"]
