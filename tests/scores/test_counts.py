import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores.base import Inputs, NoParams
from workbench.scores.counts import SPECS, compute_sizes, compute_tokens

TEXTS = ["", "abc", "né", "中文", "👩‍👩‍👧"]


def inputs(models=None):
    return Inputs([str(i) for i in range(len(TEXTS))], [""] * len(TEXTS), TEXTS, models=models)


def test_characters_are_code_points_and_bytes_are_of_utf8():
    sizes = compute_sizes(inputs(), NoParams(), {})
    assert sizes["n_chars"].tolist() == [0, 3, 2, 2, 5]
    assert sizes["n_bytes"].tolist() == [0, 3, 3, 6, 18]
    assert {column.dtype.name for column in sizes.values()} == {"float32"}


def test_tokens_are_those_the_given_tokenizer_counts():
    class Models:
        class tokenizer:  # noqa: N801
            @staticmethod
            def count(texts):
                return np.array([len(text.split()) for text in texts], dtype=np.int64)

    tokens = compute_tokens(inputs(Models()), NoParams(), {})["n_tokens"]
    assert (tokens.tolist(), tokens.dtype.name) == ([0, 1, 1, 1, 1], "float32")


def test_tokens_without_models_say_what_is_missing():
    with pytest.raises(InputError, match="n_tokens needs a tokenizer and no models were given"):
        compute_tokens(inputs(), NoParams(), {})


def test_only_n_tokens_asks_for_a_model():
    assert {spec.name: spec.needs for spec in SPECS} == {
        "n_chars": ("text",),
        "n_bytes": ("text",),
        "n_tokens": ("text", "tokenizer"),
    }
