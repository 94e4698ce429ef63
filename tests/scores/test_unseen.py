from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores.base import Inputs, NoParams
from workbench.scores.unseen import SPECS, compute


class FakeLM:
    """Every token costs ln 8; a character is a token."""

    def __init__(self):
        self.read = []

    def record(self, texts, progress):
        self.read += [text for text in texts if text]
        n = np.array([len(text) for text in texts])
        return {"nll_sum": np.where(n > 0, n * np.log(8), np.nan), "n_scored": n}


def inputs(models, texts=("abc", "de", "", "f")):
    return Inputs(["a", "b", "c", "d"], ["s"] * 4, texts, models=models)


@pytest.mark.parametrize(
    ("seen", "expected", "read"),
    [
        ({"a", "c"}, [np.nan, 8, np.nan, 8], ["de", "f"]),
        (frozenset(), [8, 8, np.nan, 8], ["abc", "de", "f"]),
        (None, [np.nan] * 4, []),
    ],
)
def test_only_what_the_model_was_not_trained_on_is_scored(seen, expected, read):
    lm = FakeLM()
    column = compute(inputs(SimpleNamespace(lm=lm, trained_on=lambda: seen)), NoParams(), {})[
        "unseen_perplexity"
    ]
    np.testing.assert_allclose(column, expected, rtol=1e-6)
    assert column.dtype == SPECS[0].dtype
    assert lm.read == read


def test_it_needs_models():
    with pytest.raises(InputError, match="unseen_perplexity needs a language model and no models were given"):
        compute(inputs(None), NoParams(), {})
