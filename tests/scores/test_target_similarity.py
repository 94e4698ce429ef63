"""The nearest target text."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores.base import Inputs, NoParams
from workbench.scores.target_similarity import compute, fit


def with_vectors(vectors: np.ndarray, target: np.ndarray, sources: list[str] | None = None) -> Inputs:
    def inputs(rows: np.ndarray, names: list[str], aim: Inputs | None = None) -> Inputs:
        ids = [f"d{i}" for i in range(len(rows))]
        return Inputs(ids, names, ids, {"embedding": rows}, target=aim)

    return inputs(vectors, ["s"] * len(vectors), inputs(target, sources or ["t"] * len(target)))


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_it_is_the_largest_cosine_whatever_the_scale(scale: float) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 7)), rng.normal(size=(4, 7))
    inputs = with_vectors((scale * x).astype(np.float32), (scale * scale * y).astype(np.float32))
    found = compute(inputs, NoParams(), fit(inputs, NoParams(), 0))["target_similarity"]
    cosines = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in y] for a in x]
    np.testing.assert_allclose(found, np.max(cosines, axis=1), atol=1e-6)


def test_a_document_that_is_a_target_text_has_1_and_opposite_ones_minus_1() -> None:
    x = np.array([[0.0, 2.0], [0.0, -1.0]], dtype=np.float32)
    inputs = with_vectors(x, x[:1])
    assert compute(inputs, NoParams(), fit(inputs, NoParams(), 0))["target_similarity"].tolist() == [1, -1]


def test_tasks_are_numbered_by_the_names_of_the_sources() -> None:
    inputs = with_vectors(np.ones((3, 2)), np.ones((4, 2)), ["qa", "code", "qa", "math"])
    state = fit(inputs, NoParams(), 0)
    assert state["task"].tolist() == [2, 0, 2, 1]
    np.testing.assert_allclose(np.linalg.norm(state["target"], axis=1), 1, rtol=1e-6)


def test_targets_of_another_dimension_or_none_are_refused() -> None:
    with pytest.raises(InputError, match="the target's vectors have 3 numbers, the documents' 2"):
        fit(with_vectors(np.ones((3, 2)), np.ones((4, 3))), NoParams(), 0)
    with pytest.raises(InputError, match="no text of the target has a vector"):
        fit(with_vectors(np.ones((3, 2)), np.ones((0, 2))), NoParams(), 0)
    with pytest.raises(InputError, match="row 1 of the target's embeddings is zero"):
        fit(with_vectors(np.ones((3, 2)), np.array([[1.0, 1], [0, 0]])), NoParams(), 0)
