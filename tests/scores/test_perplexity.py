from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.models.counting import Counting
from workbench.errors import InputError
from workbench.scores import perplexity as module
from workbench.scores.base import Inputs, NoParams


class FakeLM:
    """Every token costs ln 8; a character is a token; 5 at most."""

    def record(self, texts, progress):
        n = np.array([min(len(t), 5) for t in texts])
        n_bytes = np.array([len(t[:5].encode()) for t in texts])
        rest = np.array([max(len(t) - 5, 0) for t in texts])
        progress.advance(sum(map(len, texts)))
        nll = np.where(n > 0, n * np.log(8), np.nan)
        return {"nll_sum": nll, "n_scored": n, "n_truncated_tokens": rest, "n_bytes_scored": n_bytes}


def compute(texts, progress=None):
    models = SimpleNamespace(lm=FakeLM(), **({"progress": progress} if progress else {}))
    n = len(texts)
    return module.compute(Inputs(["d"] * n, ["s"] * n, texts, models=models), NoParams(), {})


def test_all_columns_of_the_record_come_out_of_one_pass():
    columns = compute(["abc", "é" * 9, ""])
    record = [spec for spec in module.SPECS if spec.compute is module.compute]
    assert set(columns) == {spec.name for spec in record}
    np.testing.assert_allclose(columns["perplexity"], [8, 8, np.nan], rtol=1e-6)
    # 3 bits a token; é has two bytes, and only those that were scored count.
    np.testing.assert_allclose(columns["bits_per_byte"], [3, 1.5, np.nan], rtol=1e-6)
    np.testing.assert_allclose(columns["nll_sum"], [3 * np.log(8), 5 * np.log(8), np.nan])
    assert columns["n_scored"].tolist() == [3, 5, 0]
    assert columns["n_truncated_tokens"].tolist() == [0, 4, 0]
    assert columns["n_bytes_scored"].tolist() == [3, 10, 0]
    for spec in record:
        assert columns[spec.name].dtype == spec.dtype


@pytest.mark.parametrize(("seen", "marks"), [({"a", "c"}, [1, 0, 1]), (None, [np.nan] * 3)])
def test_documents_that_the_model_was_trained_on_are_marked(seen, marks):
    models = SimpleNamespace(trained_on=lambda: seen)
    inputs = Inputs(["a", "b", "c"], ["s"] * 3, ["x"] * 3, models=models)
    np.testing.assert_array_equal(module.compute_trained_on(inputs, NoParams(), {})["lm_trained_on"], marks)


def test_no_documents_give_empty_columns():
    assert all(len(column) == 0 for column in compute([]).values())


def test_the_models_progress_is_told():
    count = Counting()
    compute(["abc", "abcdefg"], count)
    assert count.n == 10


def test_a_missing_model_is_one_sentence():
    with pytest.raises(InputError, match="perplexity needs a language model and no models were given"):
        module.compute(Inputs(["d"], ["s"], ["t"]), NoParams(), {})
