"""CCS, coverage-centric selection: drop the hardest, then draw evenly over the range of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import FloatArray, IntArray, check_at_least, check_fraction, keyed_uniform
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import fits, place_in_groups, rank_of

_NO_STRATUM = -1


_MAX_STRATA = 100_000


@dataclass(frozen=True)
class CcsParams:
    """Parameters of `select_ccs`.

    Attributes
    ----------
    score
        The importance score's name: its range is cut into strata.
    keep_fraction
        r in 0..1, of all documents, those that the hard cut drops among them.
    hard_score
        The name of the score that tells the hardest documents (the paper's is the accumulated margin of a training
        run, lowest for what is likely mislabelled); None: there is no hard cut.
    hard_fraction
        beta in 0..1, of all documents: how many of the hardest are dropped first. The paper searches it; it grows as
        less is kept (0.3 on CIFAR-10 with 10 % kept).
    hard
        "lowest" or "highest": which end of `hard_score` is hard.
    n_strata
        Strata of equal width, at least 1.
    variant
        "paper": the last stratum holds the largest score; "repo": it ends below 1.0001 times the largest, which loses
        that score where it is negative, and all where all are 0.
    """

    score: str
    keep_fraction: float = 0.5
    hard_score: str | None = None
    hard_fraction: float = 0.0
    hard: Literal["lowest", "highest"] = "lowest"
    n_strata: int = 50
    variant: Literal["paper", "repo"] = "paper"


def needs_ccs(params: CcsParams) -> tuple[str, ...]:
    """The score or scores, and what a document stands for."""
    names = (params.score, *(() if params.hard_score is None else (params.hard_score,)), DESIGN_WEIGHT)
    return tuple(dict.fromkeys(names))


def scan_ccs(columns: Columns, params: CcsParams, state: State, seed: int) -> Columns:
    """The order of the hard cut and of the draws.

    Returns
    -------
    luck : int64 (n,), 0 for the document that is drawn first
    hardness : int64 (n,), 0 for the hardest
    until_hard : float64 (n,), documents of the corpus from the hardest up to and half of this one
    """
    luck = rank_of(columns, -keyed_uniform(seed, list(columns["doc_id"]), "ccs"))
    if params.hard_score is None:
        return {"luck": luck}
    key = np.array(columns[params.hard_score], dtype=np.float64)
    hardness = rank_of(columns, -key if params.hard == "lowest" else key)
    _, until = place_in_groups(hardness, np.zeros_like(hardness), columns[DESIGN_WEIGHT])
    return {"luck": luck, "hardness": hardness, "until_hard": until}


def strata_of(score: FloatArray, n_strata: int, variant: Literal["paper", "repo"]) -> IntArray:
    """The stratum of each score, int64 (n,), -1 where it lies in none.

    Examples
    --------
    >>> score = np.array([-3.0, -2.0, -1.0])
    >>> strata_of(score, 2, "paper").tolist(), strata_of(score, 2, "repo").tolist()
    ([0, 1, 1], [0, 1, -1])
    """
    score = np.asarray(score, dtype=np.float64)
    if not len(score):
        return np.zeros(0, dtype=np.int64)
    low, high = score.min(), score.max()
    if variant == "paper":
        width = (high - low) / n_strata or 1.0
        return np.asarray(np.minimum((score - low) / width, n_strata - 1), dtype=np.int64)
    width = (1.0001 * high - low) / n_strata
    if width <= 0:
        return np.full(len(score), _NO_STRATUM, dtype=np.int64)
    number = np.floor((score - low) / width).astype(np.int64)
    return np.where(number < n_strata, number, _NO_STRATUM)


def strata_quotas(sizes: FloatArray, total: int) -> FloatArray:
    """How many of each stratum are drawn, float64 (k,): an equal part, and what small ones leave goes to larger ones.

    Strata are visited by size, the smallest first, each getting the smaller of its size and what is left divided by
    the strata left, rounded down.

    Examples
    --------
    >>> [strata_quotas(np.array([1.0, 0, 5, 20]), m).astype(int).tolist() for m in (10, 11, 30)]
    [[1, 0, 4, 5], [1, 0, 5, 5], [1, 0, 5, 20]]
    """
    out = np.zeros(len(sizes))
    left = float(total)
    for visited, stratum in enumerate(np.argsort(sizes, kind="stable")):
        out[stratum] = min(sizes[stratum], left // (len(sizes) - visited))
        left -= out[stratum]
    return out


def select_ccs(columns: Columns, params: CcsParams, state: State, seed: int) -> Selection:
    """Drop the hardest, cut the range of the score of the rest into strata, draw as many of each.

    Parameters
    ----------
    columns
        The scores, DESIGN_WEIGHT, each (n,), and what `scan_ccs` gives.

    Raises
    ------
    InputError
        If a share lies outside 0..1, n_strata is below 1, or there is a hard_fraction and no hard_score.

    Notes
    -----
    Zheng et al. 2023, arXiv:2210.15809. int(hard_fraction * n) are cut and int(keep_fraction * n) drawn, n counting all
    documents, or as many as there are.
    """
    check_fraction("keep_fraction", params.keep_fraction)
    check_fraction("hard_fraction", params.hard_fraction)
    check_at_least("n_strata", params.n_strata, 1)
    if params.n_strata > _MAX_STRATA:
        raise InputError(
            f"n_strata must be at most {_MAX_STRATA:,}, got {params.n_strata:,}; the paper has 50"
        )
    if params.hard_fraction and params.hard_score is None:
        raise InputError(
            f"hard_fraction {params.hard_fraction:g} needs a hard_score; name one or set hard_fraction to 0"
        )
    score, weight = columns[params.score], np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64)
    hardest = np.zeros(len(score), dtype=bool)
    if params.hard_score is not None:
        hardest = fits(columns["until_hard"], _whole(params.hard_fraction * weight.sum()))
    stratum = np.full(len(score), _NO_STRATUM)
    stratum[~hardest] = strata_of(score[~hardest], params.n_strata, params.variant)
    known = stratum != _NO_STRATUM
    found = np.bincount(stratum[known], weight[known], minlength=params.n_strata)
    sizes = np.asarray(found, dtype=np.float64)
    quota = strata_quotas(sizes, _whole(params.keep_fraction * weight.sum()))
    _, until = place_in_groups(columns["luck"], stratum, weight)
    keep = known & fits(until, quota[stratum])

    def explain(i: int) -> str:
        if hardest[i]:
            value, place = columns[params.hard_score or ""][i], columns["hardness"][i]
            return (
                f"among the hardest: {params.hard_score} {value:.6g} has rank {place + 1:,} from the hard end"
            )
        if not known[i]:
            return f"{params.score} {score[i]:.6g} lies in no stratum"
        j = stratum[i]
        return (
            f"{params.score} {score[i]:.6g} lies in stratum {j + 1} of {params.n_strata}, where {quota[j]:,.0f} of "
            f"{sizes[j]:,.0f} documents are drawn"
        )

    return Selection(keep, explain)


def _whole(amount: float) -> int:
    # 0.29 * 100 is 28.999999999999996
    return int(amount * (1 + 1e-12) + 1e-9)


SPEC = SelectorSpec(
    name="ccs",
    version=1,
    title="CCS: drop the hardest, then draw evenly over the range of a score",
    paper="Zheng et al. 2023, arXiv:2210.15809",
    scope="column",
    params=CcsParams,
    needs=needs_ccs,
    select=select_ccs,
    scan=scan_ccs,
    scan_params=("score", "hard_score", "hard"),
    score_params=("score", "hard_score"),
    about="Keeps easy and hard documents alike instead of one end of the score, and loses the hardest, which are often "
    "mislabelled or noise. On CIFAR-10 with 10 % kept its paper is 7.04 points over random. Strata have equal width: "
    "a score with a long tail fills few of them: the tail is then kept whole. A score that grows with length spreads "
    "the selection over lengths.",
    assumed=("For text, any score may stand in for the accumulated margin that the hard cut goes by.",),
    help={
        "score": "name of the importance score whose range is cut into strata",
        "keep_fraction": "share to keep, 0 to 1, of all documents",
        "hard_score": "name of the score that tells the hardest; leave it out for no hard cut",
        "hard_fraction": "share of all documents dropped as the hardest, 0 to 1",
        "hard": "which end of hard_score is hard: lowest or highest",
        "n_strata": "strata of equal width; the paper has 50",
        "variant": "paper: the last stratum holds the largest score; repo: it ends below 1.0001 times that",
    },
)
