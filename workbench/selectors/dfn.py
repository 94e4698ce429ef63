"""A data filtering network's cut: the top share by a learned filter."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import budget_needs, rank_of, ranked


@dataclass(frozen=True)
class DfnParams:
    """Parameters of `select_dfn`.

    Attributes
    ----------
    score
        The filter's score, higher better: `dfn_logit`, which learns from the target texts, or that of any model trained
        on clean data.
    keep_fraction
        In 0..1.
    """

    score: str = "dfn_logit"
    keep_fraction: float = 0.15


def scan_dfn(columns: Columns, params: DfnParams, state: State, seed: int) -> Columns:
    """`rank`, int64 (n,): 0 for the document that the filter scores highest."""
    return {"rank": rank_of(columns, columns[params.score])}


def select_dfn(columns: Columns, params: DfnParams, state: State, seed: int) -> Selection:
    """Keep the documents that the filter scores highest.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1.

    Notes
    -----
    Fang et al. 2023, arXiv:2309.17425.
    """
    given = columns[params.score], columns["rank"], params.keep_fraction
    return ranked(columns, *given, "documents", params.score)


SPEC = SelectorSpec(
    name="dfn",
    version=1,
    title="DFN: keep the top share by a filter that was trained on clean data",
    paper="Fang et al. 2023, arXiv:2309.17425",
    status="experimental",
    scope="column",
    params=DfnParams,
    needs=lambda params: (params.score, *budget_needs("documents")),
    select=select_dfn,
    scan=scan_dfn,
    scan_params=("score",),
    about="Keeps what looks like the target texts, which stand for clean data: name a few hundred good ones. Its paper "
    "filters pairs of images and captions, keeps about 15 % of them, and finds that a filter isn't better for being "
    "the better model: judge one by a model trained on what it keeps. A linear filter on embeddings learns topics "
    "before quality; take clean texts of every topic that is wanted. Copies are kept all alike: remove them first.",
    assumed=(
        "The filter of texts is a logistic regression on the embedder's vectors, the sample being its other class.",
        "The share is the one that the paper is remembered for, on images.",
    ),
    help={
        "score": "the filter's score, higher better",
        "keep_fraction": "share to keep, 0 to 1; the paper's is about 0.15",
    },
)
