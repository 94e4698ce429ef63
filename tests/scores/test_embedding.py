from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores.base import Inputs, NoParams
from workbench.scores.embedding import SPECS, compute


class FakeEmbedder:
    dimension = 3

    def encode(self, texts, progress):
        progress.advance(sum(map(len, texts)))
        return np.eye(3, dtype=np.float32)[[len(t) % 3 for t in texts]]


def test_the_column_holds_a_row_a_document():
    inputs = Inputs(["a", "b"], ["s", "s"], ["x", "yy"], models=SimpleNamespace(embedder=FakeEmbedder()))
    columns = compute(inputs, NoParams(), {})
    assert list(columns) == [SPECS[0].name]
    assert columns["embedding"].tolist() == [[0, 1, 0], [0, 0, 1]]
    assert columns["embedding"].dtype == SPECS[0].dtype


def test_a_missing_model_is_one_sentence():
    with pytest.raises(InputError, match="embedding needs an embedder and no models were given"):
        compute(Inputs(["d"], ["s"], ["t"]), NoParams(), {})
