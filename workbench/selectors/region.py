"""Keep what lies in a region of the embedding (or outside of it), by a rule that a lasso on the map was turned into."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State

_SHOWN = 60  # characters of a region's name in a reason


@dataclass(frozen=True)
class RegionParams:
    """Parameters of `select_region`; `workbench.engine.region.make_rule` makes them of a set of documents.

    The rule is the numbers themselves and not the documents that it was fitted to: it is as long for a lasso of a
    million documents as for one of fifty, decides about another sample as about this one, and what was measured of it
    holds for the very rule that a manifest has.

    Attributes
    ----------
    numbers
        The fitted numbers as `pack_numbers` writes them. Of nearest centroids the centroids one after the other, those
        of the region first; of a probe its weights and its bias.
    variant
        "centroids" (a document belongs to the region if the nearest of all centroids is one of the region's) or "probe"
        (if a logistic regression gives it a probability of at least a half).
    n_inside
        How many centroids are the region's, at least 1; 0 of a probe.
    keep
        "inside" or "outside".
    name
        What people call the region; shown in reasons.
    embedding
        Digest of the definition of the embedding that the rule was made with; another one is refused. "" takes any.
    """

    numbers: str
    variant: Literal["centroids", "probe"] = "centroids"
    n_inside: int = 0
    keep: Literal["inside", "outside"] = "inside"
    name: str = ""
    embedding: str = ""


def pack_numbers(values: FloatArray) -> str:
    """Numbers as text: base64 of float16, little-endian, row after row.

    Half precision moves a cosine by less than 1e-3, and what is measured of a rule is measured of the packed numbers.

    Examples
    --------
    >>> pack_numbers(np.array([[1.0, -2.0]]))
    'ADwAwA=='
    """
    return base64.b64encode(np.asarray(values).astype("<f2").tobytes()).decode("ascii")


def unpack_numbers(text: str) -> npt.NDArray[np.float32]:
    """What `pack_numbers` wrote, float32 (n,).

    Raises
    ------
    InputError
        If it is empty, no base64, no whole number of float16, or one isn't finite.
    """
    remedy = "make the rule anew on the bench's Map tab or with workbench.engine.region.make_rule"
    if not text:
        raise InputError(f"a region needs the numbers of a rule, got none; {remedy}")
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f2").astype(np.float32)
    except (binascii.Error, ValueError):
        raise InputError(f"numbers must be base64 of float16, got {text[:20]!r}...; {remedy}") from None
    if not np.isfinite(values).all():
        raise InputError(f"numbers must be finite, got nan or infinity among them; {remedy}")
    return values


def fit_region(columns: Columns, params: RegionParams, seed: int) -> State:
    """The rule's numbers as arrays: what a manifest holds beside it.

    Returns
    -------
    centroids : float32 (k, d)
        Unit rows, of nearest centroids; the first `params.n_inside` are the region's.
    weight, bias : float32 (d,) and (1,)
        Of a probe.

    Raises
    ------
    InputError
        If the numbers aren't those of such a rule for vectors of this dimension.
    """
    from workbench.models.geometry.rows import unit_rows

    numbers, d = unpack_numbers(params.numbers), columns["embedding"].shape[1]
    if params.variant == "probe":
        if len(numbers) != d + 1:
            raise InputError(
                f"a probe for vectors of {d} numbers has {d + 1}, got {len(numbers)}; take the embedder that it was "
                "made with"
            )
        return {"weight": numbers[:-1], "bias": numbers[-1:]}
    k, rest = divmod(len(numbers), d)
    if rest or not 1 <= params.n_inside < k:
        raise InputError(
            f"centroids for vectors of {d} numbers, {params.n_inside} of them the region's, can't be made of "
            f"{len(numbers)} numbers; take the embedder that the rule was made with"
        )
    return {"centroids": unit_rows(numbers.reshape(k, d), what="centroid {}")}


def scan_region(columns: Columns, params: RegionParams, state: State, seed: int) -> Columns:
    """Which documents are in the region.

    Returns
    -------
    is_inside : bool (n,)
    strength : float32 (n,)
        Cosine similarity to the nearest centroid of all, or the probe's probability.
    """
    from workbench.models.geometry.kmeans import assign
    from workbench.models.geometry.probe import Probe, decide_probe

    if params.variant == "probe":
        odds = decide_probe(columns["embedding"], Probe(state["weight"], float(state["bias"][0])))
        return {"is_inside": odds >= 0, "strength": 0.5 * (1 + np.tanh(odds / 2))}
    labels, similarity = assign(columns["embedding"], state["centroids"])
    return {"is_inside": labels < params.n_inside, "strength": similarity}


def select_region(columns: Columns, params: RegionParams, state: State, seed: int) -> Selection:
    """Keep the documents of the region, or all others.

    Parameters
    ----------
    columns
        What `scan_region` gives.
    """
    inside, strength = columns["is_inside"], columns["strength"]
    keep = inside if params.keep == "inside" else ~inside
    name = " ".join(params.name.split())[:_SHOWN]
    region = f"the region {name}" if name else "the region"

    def explain(i: int) -> str:
        where = f"lies in {region}" if inside[i] else f"lies outside of {region}"
        if params.variant == "probe":
            return f"{where}: the probe gives it a probability of {strength[i]:.3g}"
        whose = "the region's" if inside[i] else "one of the rest"
        return f"{where}: its nearest centroid (cosine similarity {strength[i]:.3g}) is {whose}"

    return Selection(keep, explain)


SPEC = SelectorSpec(
    name="region",
    version=1,
    title="Keep (or drop) a region of the map, by a rule on the embedding",
    scope="row",
    params=RegionParams,
    needs=lambda params: ("embedding",),
    reads=("embedding",),
    select=select_region,
    scan=scan_region,
    fit=fit_region,
    fit_params=("numbers", "variant", "n_inside"),
    made_with=lambda params: {"embedding": params.embedding} if params.embedding else {},
    status="experimental",
    about="Carries a lasso on the map (or any set of documents) to documents that aren't on it: those whose nearest "
    "centroid is one of the region's, or those that a linear probe takes for its. The map shows two dimensions of "
    "many: what looks like one region may be none in the embedding, so read precision and recall on held-out documents "
    "before use. Near-copies on both sides of that split make them look better than they are.",
    assumed=(
        "A rule is fitted to at most 5,000 documents of the region and 5,000 of the rest, weighted back to all.",
        "k-means has at most 16 centroids in the region and 48 in the rest, one for ten documents.",
    ),
    help={
        "numbers": "the fitted rule, which the Map tab makes of a lasso",
        "variant": "centroids (the nearest centroid decides) or probe (logistic regression)",
        "n_inside": "how many of the centroids are the region's; 0 of a probe",
        "keep": "inside (keep the region) or outside (drop it)",
        "name": "what the region is called in reasons",
        "embedding": "digest of the embedding that the rule was made with; empty takes any",
    },
)
