"""Keep a random share: the baseline that every method has to beat."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.checks import check_fraction, keyed_uniform
from workbench.selectors.base import Columns, Selection, SelectorSpec, State


@dataclass(frozen=True)
class RandomParams:
    """Parameters of `select_random`; `fraction` in 0..1 is each document's chance to be kept."""

    fraction: float


def select_random(columns: Columns, params: RandomParams, state: State, seed: int) -> Selection:
    """Keep each document with probability `fraction`, by a keyed hash of (seed, doc_id).

    Smaller fractions keep subsets of larger ones, and neither order nor shard of a document matters.

    Raises
    ------
    InputError
        If fraction lies outside 0..1.
    """
    fraction = check_fraction("fraction", params.fraction)
    draw = keyed_uniform(seed, list(columns["doc_id"]), "random")
    return Selection(draw < fraction, lambda i: f"random draw {draw[i]:.4f} is not below {fraction:g}")


SPEC = SelectorSpec(
    name="random",
    version=1,
    title="Keep a random share of the documents",
    scope="row",
    params=RandomParams,
    needs=lambda params: (),
    reads=(),
    select=select_random,
    help={"fraction": "share of documents to keep, 0 to 1"},
)
