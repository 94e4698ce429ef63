"""GOT-D: whether more of a document would bring the sample nearer to the target, by optimal transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, IntArray, check_at_least, keyed_uniform
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State, as_column

_ROWS = 1024


@dataclass(frozen=True)
class OtGradientParams:
    """How the transport is computed.

    Attributes
    ----------
    regularisation
        Of the entropy, above 0, where the cost 1 - cosine lies in 0..2; LAVA's code has 0.1.
    debiased
        Less the potential of the sample's transport onto itself, as in LAVA's code (the gradient of the Sinkhorn
        divergence). The fitted state then holds the sample's vectors too.
    n_documents, n_targets
        Of more documents or target texts as many are drawn, by a hash of their ids, for the fit; 2 and 1 at least. It
        takes time and memory in proportion to their product, or to n_documents squared if debiased.
    n_iterations
        At most; if that isn't enough it is an error.
    """

    regularisation: float = 0.1
    debiased: bool = False
    n_documents: int = 5000
    n_targets: int = 2000
    n_iterations: int = 1000


def fit(inputs: Inputs, params: OtGradientParams, seed: int) -> State:
    """The target's vectors and potentials, with which those of any document follow.

    Returns
    -------
    target : float32 (m, d), unit rows, and dual : float64 (m,)
    sample : float32 (n, d), unit rows, and self_dual : float64 (n,)
        If debiased.
    mean : float64 (1,), n : int64 (1,)
        Of the potentials of the documents that were fitted, and their number.

    Raises
    ------
    InputError
        If a param is out of range, there are too few vectors, or it doesn't converge.
    """
    from workbench.models.geometry import transport
    from workbench.models.geometry.rows import unit_rows

    check_at_least("n_documents", params.n_documents, 2)
    check_at_least("n_targets", params.n_targets, 1)
    assert inputs.target is not None
    mine = _drawn(inputs, params.n_documents, seed)
    aim = _drawn(inputs.target, params.n_targets, seed)
    x, y = inputs.columns["embedding"][mine], inputs.target.columns["embedding"][aim]
    if len(x) < 2 or not len(y) or x.shape[1] != y.shape[1]:
        raise InputError(
            f"optimal transport needs two documents and a target text with vectors of one length, got {x.shape} and "
            f"{y.shape}"
        )
    x, y = unit_rows(x), unit_rows(y, what="row {} of the target's embeddings")
    f, dual = transport.potentials(transport.cosine_cost(x, y), params.regularisation, params.n_iterations)
    state: dict[str, Array] = {"target": y, "dual": dual, "n": np.array([len(x)])}
    if params.debiased:
        own = transport.self_potential(
            transport.cosine_cost(x, x), params.regularisation, params.n_iterations
        )
        state |= {"sample": x, "self_dual": own}
        f = f - own
    return {**state, "mean": np.array([f.mean()])}


def _drawn(inputs: Inputs, n: int, seed: int) -> IntArray:
    """The numbers of n documents at most, in the order of a hash of their ids."""
    return np.argsort(keyed_uniform(seed, inputs.doc_ids, "ot_gradient"), kind="stable")[:n]


def compute(inputs: Inputs, params: OtGradientParams, state: State) -> Mapping[str, Array]:
    """`ot_gradient`, float32 (n,): negative where more of the document brings the sample nearer to the target.

    Notes
    -----
    GOT-D (Kang et al. 2024, arXiv:2405.02774) keeps the documents of the most negative gradient: `rank` with first
    "lowest". The gradient is LAVA's (Just et al. 2023, arXiv:2305.00054): of the entropic transport cost between the
    uniform measures on sample and target, with half the squared distance of unit vectors for the cost; the potential f
    is known up to a constant, so g = f - mean of the others' f. A document that wasn't fitted gets its potential from
    the target's by the soft c-transform. Assumed, since the paper isn't specific: the embedder in use, and LAVA's
    regularisation. Copies share one gradient: remove them first.
    """
    from workbench.models.geometry import transport
    from workbench.models.geometry.rows import unit_rows

    x = inputs.columns["embedding"]
    f = np.empty(len(x))
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        unit = unit_rows(x[rows], first=start)
        f[rows] = transport.soft_minimum(
            transport.cosine_cost(unit, state["target"]), state["dual"], params.regularisation
        )
        if params.debiased:
            cost = transport.cosine_cost(unit, state["sample"])
            f[rows] -= transport.soft_minimum(cost, state["self_dual"], params.regularisation)
    gradient = transport.calibrated(f, float(state["mean"][0]), int(state["n"][0]))
    return {"ot_gradient": as_column(gradient)}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="ot_gradient",
        version=1,
        title="GOT-D: change of the transport cost to the target with the document's mass; negative is nearer",
        unit="cost per mass",
        better="lower",
        needs=("embedding", "target"),
        compute=compute,
        params=OtGradientParams,
        fit=fit,
        paper="Kang et al. 2024, arXiv:2405.02774",
    ),
)
