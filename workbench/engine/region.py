"""From a set of documents to a rule for unseen ones: made of the embedding, and tried on documents held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import BoolArray, FloatArray, IntArray, json_digest, keyed_uniform
from workbench.engine.passes import finite_rows
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.selectors import SELECTORS
from workbench.selectors.region import RegionParams, pack_numbers
from workbench.stats.wilson import Share, wilson_share

Variant = Literal["centroids", "probe"]

MIN_DOCUMENTS = 20
"""Of the region and of the rest: with fewer there is nothing to try a rule on."""

# On the committed sample, with its 9 sources and 6 discs of 40 to 1,200 documents on the map for regions, held-out
# precision and recall are 0.89 and 0.96; with 8 and 24 centroids 0.84 and 0.96, with 2 and 6 they are 0.71 and 0.93.
_N_INSIDE, _N_OUTSIDE, _N_ITERATIONS = 16, 48, 20
# With the discs and two sources 0.94 and 0.89; at 0.1 it is 0.95 and 0.87, and at 3 the recall of a disc is a third.
_PENALTY = 0.01
_MAX_FIT = 5_000  # documents of each class: Newton's method takes a second for so many of 384 numbers
_SEED = 0


@dataclass(frozen=True)
class HeldOut:
    """What a rule did on documents that it wasn't fitted to, each counted once, whatever it stands for.

    Attributes
    ----------
    n_fitted, n
        Documents that the rule was fitted to, and those held out.
    precision
        Of the documents that the rule puts into the region, those that are in it.
    recall
        Of the documents in the region, those that the rule puts there.
    """

    n_fitted: int
    n: int
    precision: Share
    recall: Share


def make_rule(
    table: Table,
    rows: IntArray,
    *,
    variant: Variant = "centroids",
    keep: Literal["inside", "outside"] = "inside",
    name: str = "",
) -> RegionParams:
    """The rule for the documents `rows` of the table, against all others.

    Parameters
    ----------
    rows
        int (m,): distinct rows; those without a vector are left out.
    variant, keep, name
        As in `RegionParams`.

    Raises
    ------
    InputError
        If the table has no embedding, or fewer than `MIN_DOCUMENTS` with a vector are in the region or outside of it.

    Notes
    -----
    The same table and rows give the same rule (on one machine with one number of threads, as k-means).
    """
    embedding, inside, luck = _prepared(table, rows)
    numbers, n_inside = _fit(embedding, inside, luck, np.ones(len(inside), dtype=np.bool_), variant)
    definition = table.definitions.get("embedding")
    digest = "" if definition is None else json_digest(definition)
    return RegionParams(pack_numbers(numbers), variant, n_inside, keep, name, digest)


def try_rule(table: Table, rows: IntArray, *, variant: Variant = "centroids") -> HeldOut:
    """Fit a rule as `make_rule` does on about half of the documents, and count on the others what it gets right.

    Which half a document is in follows from a keyed hash of its id.

    Raises
    ------
    InputError
        For the reasons that `make_rule` has.
    """
    embedding, inside, luck = _prepared(table, rows)
    fitted = _halves(inside, luck)
    numbers, n_inside = _fit(embedding, inside, luck, fitted, variant)
    params, spec = RegionParams(pack_numbers(numbers), variant, n_inside), SELECTORS["region"]
    columns = {"embedding": embedding[~fitted]}
    found = spec.run(columns, params, spec.prepare(columns, params, _SEED), _SEED).keep
    held = inside[~fitted]
    both = int((found & held).sum())
    return HeldOut(
        int(fitted.sum()),
        len(held),
        wilson_share(both, int(found.sum())),
        wilson_share(both, int(held.sum())),
    )


def _prepared(table: Table, rows: IntArray) -> tuple[FloatArray, BoolArray, FloatArray]:
    """The vectors of all documents that have one, which are in the region, and the keyed hash of each."""
    if "embedding" not in table.scores:
        raise InputError(
            "a rule reads the embedding, which isn't computed; tick it on the Load tab and score"
        )
    embedding = table.scores["embedding"]
    has_vector = finite_rows(embedding) & (embedding != 0).any(axis=1)
    inside: BoolArray = np.zeros(len(table), dtype=np.bool_)
    inside[rows] = True
    luck = keyed_uniform(_SEED, table.sample.doc_ids, "region")
    inside = inside[has_vector]
    n_inside, n_rest = int(inside.sum()), int((~inside).sum())
    if min(n_inside, n_rest) < MIN_DOCUMENTS:
        raise InputError(
            f"a rule needs at least {MIN_DOCUMENTS} documents with a vector in the region and as many outside, got "
            f"{n_inside} and {n_rest}; choose {'more' if n_inside < MIN_DOCUMENTS else 'fewer'} documents"
        )
    return embedding[has_vector], inside, luck[has_vector]


def _halves(inside: BoolArray, luck: FloatArray) -> BoolArray:
    """The half of each class with the smaller hashes, bool (n,): so both halves have both classes."""
    fitted: BoolArray = np.zeros(len(inside), dtype=np.bool_)
    for rows in (np.flatnonzero(inside), np.flatnonzero(~inside)):
        fitted[rows[np.argsort(luck[rows], kind="stable")[: len(rows) // 2]]] = True
    return fitted


def _fit(
    embedding: FloatArray, inside: BoolArray, luck: FloatArray, among: BoolArray, variant: Variant
) -> tuple[FloatArray, int]:
    """The numbers of a rule fitted to the documents `among`, and how many of its centroids are the region's."""
    from workbench.models.geometry.kmeans import sample_centroids
    from workbench.models.geometry.probe import fit_probe

    classes = []
    for rows in (np.flatnonzero(inside & among), np.flatnonzero(~inside & among)):
        chosen = np.sort(rows[np.argsort(luck[rows], kind="stable")[:_MAX_FIT]])
        classes.append((embedding[chosen], len(rows) / len(chosen)))
    if variant == "centroids":
        parts = [
            sample_centroids(x, k, _N_ITERATIONS, _SEED)
            for (x, _), k in zip(classes, (_N_INSIDE, _N_OUTSIDE), strict=True)
        ]
        return np.concatenate(parts), len(parts[0])
    sizes = [len(x) for x, _ in classes]
    probe = fit_probe(
        np.concatenate([x for x, _ in classes]),
        np.repeat([True, False], sizes),
        weight=np.repeat([weight for _, weight in classes], sizes),
        penalty=_PENALTY,
    )
    return np.r_[probe.weight, np.float32(probe.bias)], 0
